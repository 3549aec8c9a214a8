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
    let mut token = String::new();
    let (mut begun, mut quoted) = (false, false);
    let mut characters = line.chars();
    loop {
        let literal = match characters.next() {
            Some('"') => {
                quoted = !quoted;
                begun = true;
                continue;
            }
            Some('\\') => characters.next().ok_or(SplitError::DanglingEscape)?,
            Some(character) if quoted || character != ' ' => character,
            None if quoted => return Err(SplitError::DanglingQuote),
            end => {
                if begun {
                    tokens.push(core::mem::take(&mut token));
                    begun = false;
                }
                match end {
                    Some(_) => continue,
                    None => return Ok(tokens),
                }
            }
        };
        token.push(literal);
        begun = true;
    }
}
