//! Cutting a command line.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a command line cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// A quotation mark without its partner.
    DanglingQuote,
    /// A backslash at the end.
    DanglingEscape,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DanglingQuote => "the command line ends inside quotation marks",
            Self::DanglingEscape => "the command line ends in a backslash",
        })
    }
}

impl core::error::Error for SplitError {}

/// Cuts `line` at spaces into tokens.
///
/// A backslash takes the next character as it is, inside quotation marks too. Between quotation marks a space does not cut;
/// they may begin and end anywhere in a token. `""` is an empty token, which MirageOS could not pass. There is no
/// more to it: no variables, no single quotes, and other white space is part of a token.
///
/// # Errors
/// [`SplitError`] when the line ends too early.
pub fn split(line: &str) -> Result<Vec<String>, SplitError> {
    let mut tokens = Vec::new();
    let mut token = None::<String>;
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' if !quoted => tokens.extend(token.take()),
            '"' => {
                quoted = !quoted;
                token.get_or_insert_default();
            }
            '\\' => {
                let escaped = characters.next().ok_or(SplitError::DanglingEscape)?;
                token.get_or_insert_default().push(escaped);
            }
            _ => token.get_or_insert_default().push(character),
        }
    }
    if quoted {
        return Err(SplitError::DanglingQuote);
    }
    tokens.extend(token);
    Ok(tokens)
}
