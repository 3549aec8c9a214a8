//! Arguments, read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::tokens::Tokens;
use super::{Argument, BadArgument, Kind, Stop};

/// The arguments an image was given, each of them declared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arguments {
    /// Every token, each ended by a zero byte.
    ///
    /// Invariant: a token that begins with `--` is an argument, and one that does not is the value of that before it.
    text: &'static str,
}

impl Arguments {
    /// Reads `tokens` by what is declared. Their text is kept for good: an image has one command line.
    ///
    /// `--name=VALUE` and `--name VALUE` are the same; a value that begins with `--` must be given in the first form.
    ///
    /// # Errors
    /// [`Stop`] when `--help` or `--version` is among them, when one is not declared, lacks its value, has one too many or
    /// is given twice. The first of these decides. A token with a zero byte is refused before all others.
    pub fn parse(declared: &[&[Argument]], tokens: impl IntoIterator<Item = String>) -> Result<Self, Stop> {
        Self::read(declared, Self::join(tokens)?)
    }

    /// The text of these tokens, as [`read`](Self::read) takes it.
    pub(crate) fn join(tokens: impl IntoIterator<Item = String>) -> Result<&'static str, BadArgument> {
        let mut text = String::new();
        for token in tokens {
            if token.contains('\0') {
                return Err(BadArgument::because(token.leak(), "no argument has a zero byte"));
            }
            text.push_str(&token);
            text.push('\0');
        }
        Ok(text.leak())
    }

    /// The same from the tokens' text, in which each of them ends with a zero byte.
    pub(crate) fn read(declared: &[&[Argument]], text: &'static str) -> Result<Self, Stop> {
        let mut tokens = Tokens { rest: text.as_bytes() };
        loop {
            let before = text.get(..text.len() - tokens.rest.len()).unwrap_or_default();
            let Some(token) = tokens.next() else { return Ok(Self { text }) };
            let because = |reason| Err(Stop::Bad(BadArgument::because(str_of(token), reason)));
            if !token.starts_with(b"--") {
                return because("every argument begins with `--`; `--help` lists them");
            }
            let Some((argument, value)) = find(declared, token) else {
                return match token {
                    b"--help" => Err(Stop::Help),
                    b"--version" => Err(Stop::Version),
                    _ => because("unknown argument; `--help` lists those that are known"),
                };
            };
            if !matches!(argument.kind, Kind::List(_)) && (Self { text: before }).flag(argument) {
                return because("given twice");
            }
            match (argument.kind, value) {
                (Kind::Flag, Some(_)) => return because("takes no value"),
                (Kind::Value(word) | Kind::List(word), None)
                    if tokens.next().is_none_or(|value| value.starts_with(b"--")) =>
                {
                    return Err(Stop::Bad(BadArgument::lacks_value(argument.name, word)));
                }
                _ => {}
            }
        }
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
            None => Err(BadArgument::must_be_given(argument.name)),
        }
    }

    /// The value of `argument`, or its default, or `None`, as `read` reads it; where that does not, `expected` says what it
    /// would. As [`get`](Self::get), in less code.
    ///
    /// # Errors
    /// [`BadArgument`] when `read` says `None`.
    pub fn parsed_by<T>(
        &self,
        argument: &Argument,
        read: impl FnOnce(&'static str) -> Option<T>,
        expected: &'static str,
    ) -> Result<Option<T>, BadArgument> {
        let Some(text) = self.text(argument) else { return Ok(None) };
        read(text).map(Some).ok_or(BadArgument::value(argument.name, text, expected))
    }

    /// The value of `argument`, or its default, as a number. As [`require`](Self::require), in less code.
    ///
    /// # Errors
    /// [`BadArgument`] when it is not one that fits, or is neither given nor has a default.
    pub fn number(&self, argument: &Argument) -> Result<usize, BadArgument> {
        let digits = |number: usize, byte: u8| match byte {
            b'0'..=b'9' => number.checked_mul(10)?.checked_add((byte - b'0').into()),
            _ => None,
        };
        let read = |text: &str| text.bytes().try_fold(0, digits).filter(|_| !text.is_empty());
        let number = self.parsed_by(argument, read, "expected a number")?;
        number.ok_or(BadArgument::must_be_given(argument.name))
    }

    /// Every value of a list, or its default, in the order they were given.
    ///
    /// # Errors
    /// [`BadArgument`] for the first that is not a `T`.
    pub fn all<T: FromStr<Err: fmt::Display>>(&self, argument: &Argument) -> Result<Vec<T>, BadArgument> {
        let default = if self.flag(argument) { None } else { argument.default };
        self.values(argument.name).chain(default).map(|text| parse(argument, text)).collect()
    }

    /// The text of `argument`, or its default, or `None`.
    pub fn text(&self, argument: &Argument) -> Option<&'static str> {
        self.first(argument.name).or(argument.default)
    }

    /// Whether `argument` was given.
    pub fn flag(&self, argument: &Argument) -> bool {
        self.first(argument.name).is_some()
    }

    #[inline(never)]
    fn first(&self, name: &'static str) -> Option<&'static str> {
        self.values(name).next()
    }

    fn values(&self, name: &'static str) -> impl Iterator<Item = &'static str> + use<> {
        let mut tokens = Tokens { rest: self.text.as_bytes() };
        core::iter::from_fn(move || {
            loop {
                let token = tokens.next()?;
                if let Some(value) = value(token, name) {
                    let ahead = || { tokens }.next().filter(|next| !next.starts_with(b"--"));
                    return Some(str_of(value.or_else(ahead).unwrap_or_default()));
                }
            }
        })
    }
}

/// Which argument a token is, and its value if that is in the token, too.
fn find<'a>(declared: &[&'a [Argument]], token: &'static [u8]) -> Option<(&'a Argument, Option<&'static [u8]>)> {
    for group in declared {
        for argument in *group {
            if let Some(value) = value(token, argument.name) {
                return Some((argument, value));
            }
        }
    }
    None
}

/// The value in `token` if that is the argument `name`.
#[inline(never)]
fn value(token: &'static [u8], name: &str) -> Option<Option<&'static [u8]>> {
    let rest = token.get(2..)?.strip_prefix(name.as_bytes())?;
    match rest.split_first() {
        None => Some(None),
        Some((b'=', value)) if token.starts_with(b"--") => Some(Some(value)),
        Some(_) => None,
    }
}

/// A part of a text.
fn str_of(bytes: &'static [u8]) -> &'static str {
    // SAFETY: part of a `str`, cut beside bytes of ASCII.
    unsafe { core::str::from_utf8_unchecked(bytes) }
}

fn parse<T: FromStr<Err: fmt::Display>>(argument: &Argument, text: &'static str) -> Result<T, BadArgument> {
    text.parse().map_err(|reason| BadArgument::not_one(argument, text, &reason))
}
