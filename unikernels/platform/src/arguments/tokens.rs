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
    Tokens::new(line).collect()
}

/// The tokens of a line, one after the other; nothing comes after an error.
#[derive(Debug)]
pub(crate) struct Tokens<'l> {
    /// What was not looked at yet.
    rest: &'l [u8],
}

impl<'l> Tokens<'l> {
    pub(crate) const fn new(line: &'l str) -> Self {
        Self { rest: line.as_bytes() }
    }

    fn fail(&mut self, error: SplitError) -> Option<Result<String, SplitError>> {
        self.rest = &[];
        Some(Err(error))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<String, SplitError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut token = Vec::new();
        let (mut begun, mut quoted) = (false, false);
        // By bytes: what is looked for is ASCII, and no byte of another character is.
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            let literal = match byte {
                b'"' => {
                    quoted = !quoted;
                    begun = true;
                    continue;
                }
                b' ' if !quoted && !begun => continue,
                b' ' if !quoted => break,
                b'\\' => {
                    let Some((&escaped, rest)) = self.rest.split_first() else {
                        return self.fail(SplitError::DanglingEscape);
                    };
                    self.rest = rest;
                    escaped
                }
                _ => byte,
            };
            token.push(literal);
            begun = true;
        }
        if quoted {
            return self.fail(SplitError::DanglingQuote);
        }
        // Whole characters in, whole characters out.
        begun.then(|| Ok(String::from_utf8(token).unwrap_or_default()))
    }
}
