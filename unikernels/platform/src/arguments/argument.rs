//! The declaration of an argument.

/// An argument that an image understands, `--name=VALUE`, `--name VALUE` or `--name`.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name without the dashes.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is for, in one line.
    pub help: &'static str,
    /// What is taken when it is not given.
    pub default: Option<&'static str>,
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is there or not.
    Flag,
    /// One value; the word stands for it in `--help`.
    Value(&'static str),
    /// A value each time it is given; the word stands for it in `--help`.
    List(&'static str),
}

impl Argument {
    /// `--name`: there or not.
    pub const fn flag(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Flag, help, default: None }
    }

    /// `--name=WORD`: once at most.
    pub const fn value(name: &'static str, word: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Value(word), help, default: None }
    }

    /// `--name=WORD`: as often as you like.
    pub const fn list(name: &'static str, word: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::List(word), help, default: None }
    }

    /// The same with a default.
    #[must_use]
    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}
