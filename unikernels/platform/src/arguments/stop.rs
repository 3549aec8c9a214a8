//! Why an image does not start.

use alloc::boxed::Box;
use core::fmt;

use crate::Exit;
use crate::text::Line;

/// An argument that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadArgument(Box<Line>);

impl BadArgument {
    /// `argument`, as it was given, makes no sense because of `reason`. What is kept of the two is a line of at most 512
    /// bytes.
    pub fn new(argument: &str, reason: &dyn fmt::Display) -> Self {
        Self::of(&[argument, ": "], reason)
    }

    /// These parts one after the other, and the reason.
    #[cold]
    #[inline(never)]
    pub(super) fn of(parts: &[&str], reason: &dyn fmt::Display) -> Self {
        let mut line = Box::new(Line::new());
        line.put_all(parts).show(reason);
        Self(line)
    }
}

impl fmt::Display for BadArgument {
    /// One line, `--port=x: invalid digit found in string`; control characters are shown as spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl core::error::Error for BadArgument {}

/// Why an image does not start: it was asked for something else, or did not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `--help` was given: print what [`help`](super::help) shows.
    Help,
    /// `--version` was given: print what [`version`](super::version) shows.
    Version,
    /// Print this where errors go.
    Bad(BadArgument),
}

impl Stop {
    /// The exit code that goes with it.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Help | Self::Version => Exit::HELP,
            Self::Bad(_) => Exit::BAD_ARGUMENT,
        }
    }
}

impl From<BadArgument> for Stop {
    fn from(bad: BadArgument) -> Self {
        Self::Bad(bad)
    }
}
