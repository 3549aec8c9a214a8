//! Arguments, read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{Argument, BadArgument, Kind, Stop};

/// The arguments an image was given, each of them declared.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Name and value in the order they were given; a flag's value is empty.
    given: Vec<(&'static str, String)>,
}

impl Arguments {
    /// Reads `tokens` by what is declared.
    ///
    /// `--name=VALUE` and `--name VALUE` are the same; a value that begins with `--` must be given in the first form.
    ///
    /// # Errors
    /// [`Stop`] when `--help` or `--version` is among them, when one is not declared, lacks its value, has one too many or
    /// is given twice. The first of these decides.
    pub fn parse(declared: &[&[Argument]], tokens: impl IntoIterator<Item = String>) -> Result<Self, Stop> {
        Self::read(declared, &mut tokens.into_iter().map(Ok))
    }

    /// The same from tokens that may be none.
    pub(crate) fn read(
        declared: &[&[Argument]],
        tokens: &mut dyn Iterator<Item = Result<String, BadArgument>>,
    ) -> Result<Self, Stop> {
        let mut arguments = Self::default();
        // The argument before, when its value comes in a token of its own.
        let mut open = None::<(&'static str, &'static str)>;
        for token in tokens {
            let token = token?;
            let (name, value) = match open.take() {
                Some((name, word)) if token.starts_with("--") => return Err(lacks_value(name, word)),
                Some((name, _)) => (name, Some(&*token)),
                None => {
                    let (argument, value) = arguments.admit(declared, &token)?;
                    match (argument.kind, value) {
                        (Kind::Value(word) | Kind::List(word), None) => {
                            open = Some((argument.name, word));
                            continue;
                        }
                        (_, value) => (argument.name, value),
                    }
                }
            };
            arguments.given.push((name, value.unwrap_or_default().into()));
        }
        match open {
            Some((name, word)) => Err(lacks_value(name, word)),
            None => Ok(arguments),
        }
    }

    /// Which argument a token is, and its value if that is in the token, too.
    fn admit<'a, 't>(
        &self,
        declared: &[&'a [Argument]],
        token: &'t str,
    ) -> Result<(&'a Argument, Option<&'t str>), Stop> {
        let (name, value) = cut(token);
        let because = |reason| Err(Stop::Bad(BadArgument::of(&[token, ": ", reason], &"")));
        let Some(name) = name.strip_prefix("--") else {
            return because("every argument begins with `--`; `--help` lists them");
        };
        let Some(argument) = declared.iter().copied().flatten().find(|argument| argument.name == name) else {
            return match (name, value) {
                ("help", None) => Err(Stop::Help),
                ("version", None) => Err(Stop::Version),
                _ => because("unknown argument; `--help` lists those that are known"),
            };
        };
        if matches!(argument.kind, Kind::Flag) && value.is_some() {
            return because("takes no value");
        }
        if !matches!(argument.kind, Kind::List(_)) && self.flag(argument) {
            return because("given twice");
        }
        Ok((argument, value))
    }

    /// The value of `argument`, or its default, or `None`.
    ///
    /// # Errors
    /// [`BadArgument`] when it is not a `T`.
    pub fn get<T: FromStr<Err: fmt::Display>>(&self, argument: &Argument) -> Result<Option<T>, BadArgument> {
        self.text(argument).map(|text| parse(argument, text)).transpose()
    }

    /// The value of `argument`, or its default.
    ///
    /// # Errors
    /// [`BadArgument`] when it is not a `T`, or is neither given nor has a default.
    pub fn require<T: FromStr<Err: fmt::Display>>(&self, argument: &Argument) -> Result<T, BadArgument> {
        match self.text(argument) {
            Some(text) => parse(argument, text),
            None => Err(must_be_given(argument)),
        }
    }

    /// Every value of a list, or its default, in the order they were given.
    ///
    /// # Errors
    /// [`BadArgument`] for the first that is not a `T`.
    pub fn all<T: FromStr<Err: fmt::Display>>(&self, argument: &Argument) -> Result<Vec<T>, BadArgument> {
        let default = if self.flag(argument) { None } else { argument.default };
        self.values(argument).chain(default).map(|text| parse(argument, text)).collect()
    }

    /// The text of `argument`, or its default, or `None`.
    pub fn text(&self, argument: &Argument) -> Option<&str> {
        self.values(argument).next().or(argument.default)
    }

    /// Whether `argument` was given.
    pub fn flag(&self, argument: &Argument) -> bool {
        self.values(argument).next().is_some()
    }

    fn values(&self, argument: &Argument) -> impl Iterator<Item = &str> {
        self.given.iter().filter(|(name, _)| *name == argument.name).map(|(_, value)| value.as_str())
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(argument: &Argument, text: &str) -> Result<T, BadArgument> {
    text.parse().map_err(|reason| not_one(argument, text, &reason))
}

#[cold]
#[inline(never)]
fn not_one(argument: &Argument, text: &str, reason: &dyn fmt::Display) -> BadArgument {
    BadArgument::of(&["--", argument.name, "=", text, ": "], reason)
}

#[cold]
#[inline(never)]
fn lacks_value(name: &str, word: &str) -> Stop {
    Stop::Bad(BadArgument::of(&["--", name, ": needs a value, `--", name, "=", word, "`"], &""))
}

#[cold]
#[inline(never)]
fn must_be_given(argument: &Argument) -> BadArgument {
    BadArgument::of(&["--", argument.name, ": must be given"], &"")
}

/// Name and value of a token.
fn cut(token: &str) -> (&str, Option<&str>) {
    let cut = token.bytes().position(|byte| byte == b'=');
    let parts = cut.and_then(|at| Some((token.get(..at)?, token.get(at + 1..)?)));
    parts.map_or((token, None), |(name, value)| (name, Some(value)))
}
