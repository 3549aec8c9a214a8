//! Arguments, read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{Argument, BadArgument, Kind, Stop, help};
use crate::About;

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
    pub fn parse(
        about: &About,
        declared: &[&[Argument]],
        tokens: impl IntoIterator<Item = String>,
    ) -> Result<Self, Stop> {
        let mut given = Self::default();
        given.read(about, declared, &mut tokens.into_iter())?;
        Ok(given)
    }

    fn read(
        &mut self,
        about: &About,
        declared: &[&[Argument]],
        tokens: &mut dyn Iterator<Item = String>,
    ) -> Result<(), Stop> {
        // The argument before, when its value comes in a token of its own.
        let mut open = None::<(&'static str, &'static str)>;
        for token in tokens {
            if let Some((name, word)) = open.take() {
                if token.starts_with("--") {
                    return Err(lacks_value(name, word));
                }
                self.given.push((name, token));
                continue;
            }
            let (name, value) = cut(&token);
            let bad = |reason| Err(Stop::Bad(BadArgument::new(&token, &reason)));
            let Some(name) = name.strip_prefix("--") else {
                return bad("every argument begins with `--`; `--help` lists them");
            };
            let known = declared.iter().copied().flatten().find(|argument| argument.name == name);
            let Some(argument) = known else {
                return match (name, value) {
                    ("help", None) => Err(Stop::Help(help::page(about, declared))),
                    ("version", None) => Err(Stop::Version(help::title(about))),
                    _ => bad("unknown argument; `--help` lists those that are known"),
                };
            };
            let once = !matches!(argument.kind, Kind::List(_));
            if once && self.given.iter().any(|(name, _)| *name == argument.name) {
                return bad("given twice");
            }
            match (argument.kind, value) {
                (Kind::Flag, Some(_)) => return bad("takes no value"),
                (Kind::Value(word) | Kind::List(word), None) => open = Some((argument.name, word)),
                (_, value) => self.given.push((argument.name, value.unwrap_or_default().into())),
            }
        }
        open.map_or(Ok(()), |(name, word)| Err(lacks_value(name, word)))
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
            None => Err(BadArgument::new(&spelled(argument.name), &"must be given")),
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
    let mut given = spelled(argument.name);
    given.push('=');
    given.push_str(text);
    BadArgument::new(&given, reason)
}

#[cold]
#[inline(never)]
fn lacks_value(name: &str, word: &str) -> Stop {
    let name = spelled(name);
    Stop::Bad(BadArgument::new(&name, &format_args!("needs a value, `{name}={word}`")))
}

/// The argument `name` as one types it.
fn spelled(name: &str) -> String {
    let mut spelled = String::from("--");
    spelled.push_str(name);
    spelled
}

/// Name and value of a token.
fn cut(token: &str) -> (&str, Option<&str>) {
    let cut = token.bytes().position(|byte| byte == b'=');
    let parts = cut.and_then(|at| Some((token.get(..at)?, token.get(at + 1..)?)));
    parts.map_or((token, None), |(name, value)| (name, Some(value)))
}
