//! Which lines are wanted.

use core::fmt;

use log::LevelFilter;

/// Levels by target, `*:info,tcp:debug`.
///
/// A target is what the `log` crate calls so: the path of the module that speaks. `tcp` means everything in a crate `tcp` or
/// `mirage_tcp`, `tcp::connection` a module of it; the longest name that fits decides, `*` fits all. A level alone is
/// for all. Levels: `off`, `error`, `warn`, `info`, `debug`, `trace`, and MirageOS's `quiet` and `warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Invariant: every part of it is one, and at most [`Filter::MAX_TARGETS`] name a target.
    text: &'static str,
    /// The highest level in it.
    most: LevelFilter,
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
        f.write_str(self.text())
    }
}

impl FilterError {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Level => "the levels are off, error, warn, info, debug and trace, like `*:info,tcp:debug`",
            Self::TooMany => "at most 32 targets",
        }
    }
}

impl core::error::Error for FilterError {}

impl Filter {
    /// Targets with a level of their own.
    pub const MAX_TARGETS: usize = 32;

    /// Reads `text`.
    ///
    /// # Errors
    /// [`FilterError`]: it is no list of targets with levels, or too long a one.
    pub fn new(text: &'static str) -> Result<Self, FilterError> {
        let (mut most, mut for_all, mut targets) = (LevelFilter::Off, LevelFilter::Warn, 0);
        let mut parts = Parts { rest: text };
        while let Some((name, level)) = parts.next() {
            let level = level.ok_or(FilterError::Level)?;
            if name == "*" {
                for_all = LevelFilter::Off;
            } else {
                targets += 1;
            }
            most = most.max(level);
        }
        if targets > Self::MAX_TARGETS { Err(FilterError::TooMany) } else { Ok(Self { text, most: most.max(for_all) }) }
    }

    /// The level for `target`.
    pub fn level(&self, target: &str) -> LevelFilter {
        let short = target.strip_prefix("mirage_").unwrap_or(target);
        let (mut best, mut longest) = (LevelFilter::Warn, 0);
        let mut parts = Parts { rest: self.text };
        while let Some((name, level)) = parts.next() {
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
    pub const fn most(&self) -> LevelFilter {
        self.most
    }
}

/// The parts of a list.
struct Parts {
    rest: &'static str,
}

impl Parts {
    /// The next part: whom it is for and the level, `None` for one that does not exist.
    fn next(&mut self) -> Option<(&'static str, Option<LevelFilter>)> {
        loop {
            let part = self.rest;
            if part.is_empty() {
                return None;
            }
            // The name of a level, in lower case, as the bytes of a number.
            let (mut level, mut colon, mut end) = (0_u64, None, part.len());
            for (at, byte) in part.bytes().enumerate() {
                match byte {
                    b',' => {
                        end = at;
                        break;
                    }
                    b':' => {
                        (level, colon) = (0, Some(at));
                    }
                    // What would fall out of the number stays in it: no level is as long.
                    _ => level = level & 0xff << 56 | level << 8 | u64::from(byte | 0x20),
                }
            }
            self.rest = part.get(end + 1..).unwrap_or_default();
            if end > 0 {
                return Some((colon.map_or("*", |at| part.get(..at).unwrap_or_default()), known(level)));
            }
        }
    }
}

/// The level of this name, as [`Parts`] makes it.
const fn known(name: u64) -> Option<LevelFilter> {
    const OFF: u64 = number("off");
    const QUIET: u64 = number("quiet");
    const ERROR: u64 = number("error");
    const WARN: u64 = number("warn");
    const WARNING: u64 = number("warning");
    const INFO: u64 = number("info");
    const DEBUG: u64 = number("debug");
    const TRACE: u64 = number("trace");
    Some(match name {
        OFF | QUIET => LevelFilter::Off,
        ERROR => LevelFilter::Error,
        WARN | WARNING => LevelFilter::Warn,
        INFO => LevelFilter::Info,
        DEBUG => LevelFilter::Debug,
        TRACE => LevelFilter::Trace,
        _ => return None,
    })
}

const fn number(name: &str) -> u64 {
    let (mut number, mut at) = (0, 0);
    while at < name.len() {
        number = number << 8 | name.as_bytes()[at] as u64;
        at += 1;
    }
    number
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

    fn filter(text: &'static str) -> Filter {
        Filter::new(text).expect("fine")
    }

    #[test]
    fn the_longest_name_that_fits_decides() {
        let filter = filter("*:error,tcp:debug,mirage-tcp::connection:trace,web:off");
        assert_eq!(filter.level("mirage_arp"), LevelFilter::Error);
        assert_eq!(filter.level("mirage_tcp::table"), LevelFilter::Debug);
        assert_eq!(filter.level("mirage_tcp::connection::send"), LevelFilter::Trace);
        assert_eq!(filter.level("mirage_tcpip"), LevelFilter::Error);
        assert_eq!(filter.level("web"), LevelFilter::Off);
        assert_eq!(filter.most(), LevelFilter::Trace);
    }

    #[test]
    fn a_level_alone_is_for_all_and_nothing_means_warnings() {
        assert_eq!(filter("debug").level("any"), LevelFilter::Debug);
        assert_eq!((filter("").level("any"), filter("").most()), (LevelFilter::Warn, LevelFilter::Warn));
        assert_eq!((filter("tcp:off").most(), filter("*:off").most()), (LevelFilter::Warn, LevelFilter::Off));
    }

    #[test]
    fn levels_are_known_by_every_name_in_either_case() {
        let table = [
            ("off", LevelFilter::Off),
            ("quiet", LevelFilter::Off),
            ("ERROR", LevelFilter::Error),
            (",,warn,", LevelFilter::Warn),
            ("*:Warning", LevelFilter::Warn),
            ("info", LevelFilter::Info),
            ("*:debug", LevelFilter::Debug),
            ("trace", LevelFilter::Trace),
        ];
        for (text, level) in table {
            assert_eq!(filter(text).level("any"), level, "{text}");
        }
    }

    #[test]
    fn nonsense_and_too_much_are_refused() {
        for text in
            ["tcp:loud", "tcp", "debug:", ":", "of", "offf", "xxxxxwarning", "warningwarning", "tcp:info:x", "é"]
        {
            assert_eq!(Filter::new(text), Err(FilterError::Level), "{text}");
        }
        assert_eq!(Filter::new("a:info,".repeat(33).leak()), Err(FilterError::TooMany));
    }
}
