//! Why an image does not start.

use alloc::boxed::Box;
use core::fmt;

use super::Argument;
use crate::Exit;
use crate::text::Line;

/// An argument that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadArgument(Reason);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// What was given, and why that is wrong.
    Because(&'static str, &'static str),
    /// The name of an argument, and the word for its value.
    LacksValue(&'static str, &'static str),
    /// The name of an argument.
    MustBeGiven(&'static str),
    /// A value that is not one.
    NotOne(&'static str, &'static str, &'static str),
    /// All of it.
    Other(Box<Line>),
}

impl BadArgument {
    /// `argument`, as it was given, makes no sense because of `reason`. What is kept of the two is a line of at most 512
    /// bytes.
    pub fn new(argument: &str, reason: &dyn fmt::Display) -> Self {
        Self::of(&[argument, ": "], reason)
    }

    /// The token `token` makes no sense because of `reason`.
    pub(crate) const fn because(token: &'static str, reason: &'static str) -> Self {
        Self(Reason::Because(token, reason))
    }

    pub(super) const fn lacks_value(name: &'static str, word: &'static str) -> Self {
        Self(Reason::LacksValue(name, word))
    }

    pub(crate) const fn must_be_given(name: &'static str) -> Self {
        Self(Reason::MustBeGiven(name))
    }

    /// `--name=text` makes no sense because of `reason`.
    pub(crate) const fn value(name: &'static str, text: &'static str, reason: &'static str) -> Self {
        Self(Reason::NotOne(name, text, reason))
    }

    pub(super) fn not_one(argument: &Argument, text: &str, reason: &dyn fmt::Display) -> Self {
        Self::of(&["--", argument.name, "=", text, ": "], reason)
    }

    /// These parts one after the other, and the reason.
    #[cold]
    #[inline(never)]
    fn of(parts: &[&str], reason: &dyn fmt::Display) -> Self {
        let mut line = Box::new(Line::new());
        line.put_all(parts).show(reason);
        Self(Reason::Other(line))
    }

    /// Appends it to `line`.
    pub(crate) fn put(&self, line: &mut Line) {
        match &self.0 {
            Reason::Because(token, reason) => line.put_all(&[token, ": ", reason]),
            Reason::LacksValue(name, word) => line.put_all(&["--", name, ": needs a value, `--", name, "=", word, "`"]),
            Reason::MustBeGiven(name) => line.put_all(&["--", name, ": must be given"]),
            Reason::NotOne(name, text, reason) => line.put_all(&["--", name, "=", text, ": ", reason]),
            Reason::Other(other) => line.put(other.as_str()),
        };
    }
}

impl fmt::Display for BadArgument {
    /// One line, `--port=x: invalid digit found in string`; control characters are shown as spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line::new();
        self.put(&mut line);
        f.write_str(line.as_str())
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
