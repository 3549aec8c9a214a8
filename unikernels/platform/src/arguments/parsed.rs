//! Arguments, read.

use alloc::format;
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
        let mut given = Vec::new();
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let (name, value) = match token.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (&*token, None),
            };
            let bad = |reason: &str| BadArgument::new(&*token, reason);
            let Some(name) = name.strip_prefix("--") else {
                return Err(bad("every argument begins with `--`; `--help` lists them").into());
            };
            match (name, value) {
                ("help", None) => return Err(Stop::Help(help::page(about, declared))),
                ("version", None) => return Err(Stop::Version(format!("{} {}", about.name, about.version))),
                _ => {}
            }
            let Some(argument) = declared.iter().copied().flatten().find(|argument| argument.name == name) else {
                return Err(bad("unknown argument; `--help` lists those that are known").into());
            };
            let value = match (argument.kind, value) {
                (Kind::Flag, Some(_)) => return Err(bad("takes no value").into()),
                (Kind::Flag, None) => String::new(),
                (Kind::Value(_) | Kind::List(_), Some(value)) => String::from(value),
                (Kind::Value(word) | Kind::List(word), None) => tokens
                    .next_if(|next| !next.starts_with("--"))
                    .ok_or_else(|| bad(&format!("needs a value, `--{name}={word}`")))?,
            };
            if !matches!(argument.kind, Kind::List(_)) && given.iter().any(|(name, _)| *name == argument.name) {
                return Err(bad("given twice").into());
            }
            given.push((argument.name, value));
        }
        Ok(Self { given })
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
        self.get(argument)?.ok_or_else(|| BadArgument::new(format!("--{}", argument.name), "must be given"))
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
    text.parse().map_err(|reason| BadArgument::new(format!("--{}={text}", argument.name), reason))
}
