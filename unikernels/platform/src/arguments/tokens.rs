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

impl SplitError {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::DanglingQuote => "the command line ends inside quotation marks",
            Self::DanglingEscape => "the command line ends in a backslash",
        }
    }
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for SplitError {}

/// Cuts `line` at spaces into tokens.
///
/// A backslash takes the next character as it is, inside quotation marks too. Between quotation marks a space does not cut;
/// they may begin and end anywhere in a token. `""` is an empty token, which MirageOS could not pass. There is no
/// more to it: no variables, no single quotes, and other white space is part of a token. A zero byte, which no machine
/// can pass, cuts anywhere.
///
/// # Errors
/// [`SplitError`] when the line ends too early.
pub fn split(line: &str) -> Result<Vec<String>, SplitError> {
    let mut bytes = line.as_bytes().to_vec();
    bytes.push(0);
    let len = cut(&mut bytes)?;
    let tokens = Tokens { rest: bytes.get(..len).unwrap_or_default() };
    // Whole characters in, whole characters out.
    Ok(tokens.map(|token| String::from_utf8(token.to_vec()).unwrap_or_default()).collect())
}

/// Cuts a line, which ends with a byte to spare, in its place: what is left is its tokens, each ended by a zero byte. Says
/// how many bytes that is.
pub(crate) fn cut(line: &mut [u8]) -> Result<usize, SplitError> {
    let (mut from, mut to) = (0, 0);
    let (mut begun, mut quoted) = (false, false);
    // By bytes: what is looked for is ASCII, and no byte of another character is. No byte is written that was not read:
    // a token is followed by a byte that cuts, or by the one to spare.
    while let Some(&byte) = line.get(from) {
        from += 1;
        let is_last = from == line.len();
        let mut literal = byte;
        if is_last {
            if quoted {
                return Err(SplitError::DanglingQuote);
            }
            literal = 0;
        } else if byte == b'"' {
            quoted = !quoted;
            begun = true;
            continue;
        } else if byte == b' ' && !quoted {
            literal = 0;
        } else if byte == b'\\' {
            if from + 1 == line.len() {
                return Err(SplitError::DanglingEscape);
            }
            literal = line.get(from).copied().unwrap_or_default();
            from += 1;
        }
        if literal == 0 && !begun {
            continue;
        }
        begun = literal != 0;
        if let Some(place) = line.get_mut(to) {
            *place = literal;
        }
        to += 1;
    }
    Ok(to)
}

/// The tokens of a text in which each ends with a zero byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'t> {
    pub(super) rest: &'t [u8],
}

impl<'t> Iterator for Tokens<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let end = self.rest.iter().position(|byte| *byte == 0)?;
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        Some(token)
    }
}
