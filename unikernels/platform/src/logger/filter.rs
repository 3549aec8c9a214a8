//! Which lines are wanted.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use log::LevelFilter;

/// Levels by target, `*:info,tcp:debug`.
///
/// A target is what the `log` crate calls so: the path of the module that speaks. `tcp` means everything in a crate `tcp` or
/// `mirage_tcp`, `tcp::connection` a module of it; the longest name that fits decides, `*` fits all. A level alone is
/// for all. Levels: `off`, `error`, `warn`, `info`, `debug`, `trace`, and MirageOS's `quiet` and `warning`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Invariant: every part of it is one, and at most [`Filter::MAX_TARGETS`] name a target.
    text: String,
}

/// The text is not a list of targets with levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// No such level.
    Level,
    /// More targets than [`Filter::MAX_TARGETS`].
    TooMany,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Level => "the levels are off, error, warn, info, debug and trace, like `*:info,tcp:debug`",
            Self::TooMany => "at most 32 targets",
        })
    }
}

impl core::error::Error for FilterError {}

impl Filter {
    /// Targets with a level of their own.
    pub const MAX_TARGETS: usize = 32;

    /// The level for `target`.
    pub fn level(&self, target: &str) -> LevelFilter {
        let short = target.strip_prefix("mirage_").unwrap_or(target);
        let (mut best, mut longest) = (LevelFilter::Warn, 0);
        for (name, level) in parts(&self.text) {
            // A later one of the same length decides, as for `*`.
            let fits = name == "*" || holds(name, target) || holds(name, short);
            let length = if name == "*" { 0 } else { name.len() };
            if let Some(level) = level.filter(|_| fits && length >= longest) {
                (best, longest) = (level, length);
            }
        }
        best
    }

    /// The highest level of all: nothing above it is ever wanted.
    pub fn most(&self) -> LevelFilter {
        let everything = parts(&self.text).any(|(name, _)| name == "*");
        let least = if everything { LevelFilter::Off } else { LevelFilter::Warn };
        parts(&self.text).filter_map(|(_, level)| level).fold(least, Ord::max)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut targets = 0;
        for (name, level) in parts(text) {
            level.ok_or(FilterError::Level)?;
            targets += usize::from(name != "*");
        }
        if targets > Self::MAX_TARGETS { Err(FilterError::TooMany) } else { Ok(Self { text: text.into() }) }
    }
}

/// Each part of a list: whom it is for and the level, `None` for one that does not exist.
fn parts(text: &str) -> impl Iterator<Item = (&str, Option<LevelFilter>)> {
    let mut rest = text;
    core::iter::from_fn(move || {
        while let Some(b',') = rest.as_bytes().first() {
            rest = rest.get(1..)?;
        }
        let end = rest.bytes().position(|byte| byte == b',').unwrap_or(rest.len());
        let part = rest.get(..end).filter(|part| !part.is_empty())?;
        rest = rest.get(end..)?;
        let colon = part.bytes().rposition(|byte| byte == b':');
        let (name, level) = match colon {
            Some(at) => (part.get(..at)?, part.get(at + 1..)?),
            None => ("*", part),
        };
        Some((name, known(level)))
    })
}

fn known(level: &str) -> Option<LevelFilter> {
    const NAMES: [(&str, LevelFilter); 8] = [
        ("quiet", LevelFilter::Off),
        ("warning", LevelFilter::Warn),
        ("off", LevelFilter::Off),
        ("error", LevelFilter::Error),
        ("warn", LevelFilter::Warn),
        ("info", LevelFilter::Info),
        ("debug", LevelFilter::Debug),
        ("trace", LevelFilter::Trace),
    ];
    NAMES.iter().find(|(name, _)| level.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
}

/// Whether `target` is `name` or a module in it. A dash in `name` is the underscore that modules have in its place.
fn holds(name: &str, target: &str) -> bool {
    let spelled = |byte| if byte == b'-' { b'_' } else { byte };
    let Some((start, rest)) = target.as_bytes().split_at_checked(name.len()) else { return false };
    let same = start.iter().copied().eq(name.bytes().map(spelled));
    same && (rest.is_empty() || rest.starts_with(b"::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_fits_decides() {
        let filter: Filter = "*:error,tcp:debug,mirage-tcp::connection:trace,web:off".parse().expect("fine");
        assert_eq!(filter.level("mirage_arp"), LevelFilter::Error);
        assert_eq!(filter.level("mirage_tcp::table"), LevelFilter::Debug);
        assert_eq!(filter.level("mirage_tcp::connection::send"), LevelFilter::Trace);
        assert_eq!(filter.level("mirage_tcpip"), LevelFilter::Error);
        assert_eq!(filter.level("web"), LevelFilter::Off);
        assert_eq!(filter.most(), LevelFilter::Trace);
    }

    #[test]
    fn a_level_alone_is_for_all_and_nothing_means_warnings() {
        assert_eq!("debug".parse::<Filter>().expect("fine").level("any"), LevelFilter::Debug);
        assert_eq!("".parse::<Filter>().expect("fine").level("any"), LevelFilter::Warn);
    }

    #[test]
    fn nonsense_and_too_much_are_refused() {
        assert_eq!("tcp:loud".parse::<Filter>(), Err(FilterError::Level));
        assert_eq!("tcp".parse::<Filter>(), Err(FilterError::Level));
        assert_eq!("a:info,".repeat(33).parse::<Filter>(), Err(FilterError::TooMany));
    }
}
