//! The lines of a script.

use mirage_clock::Duration;

use super::number::parse_time;

/// A line that says something.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    pub number: usize,
    pub text: &'a str,
    /// How long after the line before.
    pub after: Duration,
    /// How much earlier or later it may be.
    pub tolerance: Duration,
    /// Whom it is about.
    pub peer: &'a str,
    pub words: Vec<&'a str>,
    /// What stands between `<` and `>` at its end.
    pub options: Option<&'a str>,
}

/// Whom a line is about that does not say it.
pub const SOMEBODY: &str = "a";

/// The lines of `text` that say something.
pub fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, String>> {
    (1..).zip(text.lines()).filter_map(|(number, text)| {
        let text = text.split('#').next().unwrap_or_default().trim();
        (!text.is_empty()).then(|| line(number, text).map_err(|error| format!("{number}: {error}")))
    })
}

fn line(number: usize, text: &str) -> Result<Line<'_>, String> {
    let mut line = Line {
        number,
        text,
        after: Duration::ZERO,
        tolerance: Duration::ZERO,
        peer: SOMEBODY,
        words: Vec::new(),
        options: None,
    };
    // `<` alone is a direction; where it touches what follows, it begins options.
    let start = text.match_indices('<').map(|(at, _)| at).find(|at| !text[at + 1..].starts_with([' ', '\t']));
    let (mut words, mut rest) = (text, "");
    if let Some(start) = start {
        let end = text[start..].find('>').ok_or("`<` without `>`")? + start;
        line.options = Some(&text[start + 1..end]);
        (words, rest) = (&text[..start], &text[end + 1..]);
    }
    for word in words.split_whitespace().chain(rest.split_whitespace()) {
        match (word.strip_prefix('+'), word.strip_prefix('@')) {
            (Some(time), _) if line.words.is_empty() => {
                let (time, tolerance) = time.split_once('~').unwrap_or((time, "0"));
                (line.after, line.tolerance) = (parse_time(time)?, parse_time(tolerance)?);
            }
            (_, Some(peer)) if line.words.is_empty() => line.peer = peer,
            _ => line.words.push(word),
        }
    }
    Ok(line)
}
