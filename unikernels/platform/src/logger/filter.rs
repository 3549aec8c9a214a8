//! Which lines are wanted.

use alloc::string::String;
use alloc::vec::Vec;
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
    default: LevelFilter,
    /// At most [`Filter::MAX_TARGETS`].
    targets: Vec<(String, LevelFilter)>,
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
        let fits = |name: &str| holds(name, target) || holds(name, short);
        let best = self.targets.iter().filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len());
        best.map_or(self.default, |(_, level)| *level)
    }

    /// The highest level of all: nothing above it is ever wanted.
    pub fn most(&self) -> LevelFilter {
        self.targets.iter().map(|(_, level)| *level).fold(self.default, Ord::max)
    }
}

/// Whether `target` is `name` or a module in it. A dash in `name` is the underscore that modules have in its place.
fn holds(name: &str, target: &str) -> bool {
    let spelled = |byte| if byte == b'-' { b'_' } else { byte };
    let Some((start, rest)) = target.as_bytes().split_at_checked(name.len()) else { return false };
    let same = start.iter().copied().eq(name.bytes().map(spelled));
    same && (rest.is_empty() || rest.starts_with(b"::"))
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut filter = Self { default: LevelFilter::Warn, targets: Vec::new() };
        let mut rest = text;
        while !rest.is_empty() {
            let part;
            (part, rest) = cut(rest, rest.bytes().position(|byte| byte == b',')).unwrap_or((rest, ""));
            if part.is_empty() {
                continue;
            }
            let (target, level) = cut(part, part.bytes().rposition(|byte| byte == b':')).unwrap_or(("*", part));
            let level = match level {
                "quiet" => LevelFilter::Off,
                "warning" => LevelFilter::Warn,
                _ => level.parse().map_err(|_| FilterError::Level)?,
            };
            if target == "*" {
                filter.default = level;
            } else if filter.targets.len() == Self::MAX_TARGETS {
                return Err(FilterError::TooMany);
            } else {
                filter.targets.push((target.into(), level));
            }
        }
        Ok(filter)
    }
}

/// What is before and after the byte at `at`.
fn cut(text: &str, at: Option<usize>) -> Option<(&str, &str)> {
    let at = at?;
    Some((text.get(..at)?, text.get(at + 1..)?))
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
