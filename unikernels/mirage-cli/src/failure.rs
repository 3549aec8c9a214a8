//! Why the tool stops.

use std::fmt;

/// One line for the person who typed the command: what is wrong, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    line: String,
    code: u8,
}

/// What a command gives, or why it could not.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The command could not be carried out: exit code 1.
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), code: 1 }
    }

    /// The command makes no sense: exit code 64, as images have it.
    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self { line: line.into(), code: 64 }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whatever a library said, it stays one line.
        for (index, word) in self.line.split_whitespace().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

/// Puts a sentence around what went wrong.
pub(crate) trait OrFail<T> {
    /// The failure is `what: reason`.
    fn or_fail(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> OrFail<T> for std::result::Result<T, E> {
    fn or_fail(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|reason| Failure::new(format!("{}: {reason}", what())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::new("first\n  second\n");
        assert_eq!(failure.to_string(), "first second");
        let failed: Result<()> = Err("no\nreason").or_fail(|| "opening".into());
        assert_eq!(failed.expect_err("an error").to_string(), "opening: no reason");
    }
}
