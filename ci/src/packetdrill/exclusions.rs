//! Scripts that are not asked, each with a reason.

use std::path::Path;

/// Patterns and their reasons, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Exclusions(Vec<(String, String)>);

impl Exclusions {
    /// Reads lines of the form `pattern: reason`. Empty lines and those that begin with `#` say nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|line| format!("{}: no reason in `{line}`", path.display()))
    }

    fn parse(text: &str) -> Result<Self, &str> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| match line.split_once(": ") {
            Some((pattern, reason)) => Ok((pattern.to_owned(), reason.to_owned())),
            None => Err(line),
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Why a script is not asked; `None` for one that is.
    pub(crate) fn reason(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(pattern, _)| matches(pattern, name)).map(|(_, reason)| reason.as_str())
    }
}

/// Whether a pattern, whose stars stand for anything, is the whole of `name` or all of it behind a slash.
fn matches(pattern: &str, name: &str) -> bool {
    let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
    starts.map(|at| &name[at..]).any(|rest| matches_whole(pattern, rest))
}

fn matches_whole(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches_whole(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_fits_gives_the_reason() {
        let list = Exclusions::parse("# why\n\nzerocopy/*: no such call\na/b.pkt: wrong\n").unwrap();
        assert_eq!(list.reason("tcp/zerocopy/x.pkt"), Some("no such call"));
        assert_eq!(list.reason("zerocopy/x.pkt"), Some("no such call"));
        assert_eq!(list.reason("a/b.pkt"), Some("wrong"));
        assert_eq!(list.reason("a/c.pkt"), None);
        assert_eq!(list.reason("a/nozerocopy/x.pkt"), None);
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        assert_eq!(Exclusions::parse("a/b.pkt").unwrap_err(), "a/b.pkt");
    }
}
