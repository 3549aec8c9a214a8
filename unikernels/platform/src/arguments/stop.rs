//! Why an image does not start.

use alloc::string::{String, ToString};
use core::fmt;

use crate::Exit;

/// An argument that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadArgument {
    /// As it was given.
    argument: String,
    reason: String,
}

impl BadArgument {
    /// `argument`, as it was given, makes no sense because of `reason`.
    #[cold]
    #[inline(never)]
    pub fn new(argument: &str, reason: &dyn fmt::Display) -> Self {
        Self { argument: argument.into(), reason: reason.to_string() }
    }
}

impl fmt::Display for BadArgument {
    /// `--port=x: invalid digit found in string`. The argument is what a stranger typed: a console should be given it with
    /// its control characters replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.argument)?;
        f.write_str(": ")?;
        f.write_str(&self.reason)
    }
}

impl core::error::Error for BadArgument {}

/// Why an image does not start: it was asked for something else, or did not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `--help` was given: print this.
    Help(String),
    /// `--version` was given: print this.
    Version(String),
    /// Print this where errors go.
    Bad(BadArgument),
}

impl Stop {
    /// The exit code that goes with it.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Help(_) | Self::Version(_) => Exit::HELP,
            Self::Bad(_) => Exit::BAD_ARGUMENT,
        }
    }
}

impl From<BadArgument> for Stop {
    fn from(bad: BadArgument) -> Self {
        Self::Bad(bad)
    }
}
