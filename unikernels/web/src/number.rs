//! Numbers in decimal, without what the library has for widths, signs and bases.

use core::fmt::{self, Write};

/// A number that shows its digits, however it is asked to.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) u64);

impl Number {
    /// Appends the digits to `text`.
    pub(crate) fn put(self, text: &mut impl Write) -> fmt::Result {
        let Self(number) = self;
        if number >= 10 {
            Self(number / 10).put(text)?;
        }
        let digit = (number % 10) as usize;
        text.write_str(DIGITS.get(digit..=digit).unwrap_or_default())
    }
}

const DIGITS: &str = "0123456789";

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.put(f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn numbers_are_as_the_library_shows_them() {
        for number in [0, 7, 10, 1_234_567_890, u64::MAX] {
            assert_eq!(Number(number).to_string(), number.to_string());
        }
    }
}
