//! One line of log, on the stack.

use core::fmt::{self, Write};

use log::Record;
use mirage_clock::Instant;

/// Longest line in bytes; what is longer ends in `…`.
const MAX: usize = 512;
const CUT: &str = "…";

pub(crate) struct Line {
    bytes: [u8; MAX],
    /// Invariant: at most `MAX - CUT.len()` until the line is cut; `bytes[..len]` is whole characters.
    len: usize,
    cut: bool,
}

impl Line {
    /// The line for `record`. Line ends inside become spaces, so that a record stays one line.
    pub(super) fn of(now: Instant, record: &Record<'_>) -> Self {
        Self::new(format_args!("{now} {:<5} {}: {}", record.level(), record.target(), record.args()))
    }

    /// The line that says how many are missing.
    pub(super) fn missing(now: Instant, lines: u64) -> Self {
        Self::new(format_args!("{now} WARN  log: {lines} lines were not written"))
    }

    pub(crate) fn new(text: fmt::Arguments<'_>) -> Self {
        let mut line = Self { bytes: [0; MAX], len: 0, cut: false };
        // An error only means that the line was cut.
        let _ = line.write_fmt(text);
        line
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let text = if self.cut { "" } else { text };
        for mut character in text.chars() {
            if character.is_control() {
                character = ' ';
            }
            let room = &mut self.bytes[self.len..];
            if room.len() < CUT.len() + character.len_utf8() {
                room[..CUT.len()].copy_from_slice(CUT.as_bytes());
                self.len += CUT.len();
                self.cut = true;
                return Err(fmt::Error);
            }
            self.len += character.encode_utf8(room).len();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        for pad in 0..4 {
            let text = "é€🦀".repeat(200);
            let line = Line::new(format_args!("{:pad$}{text}", ""));
            assert!(line.as_str().ends_with(CUT), "{}", line.as_str());
            assert!((MAX - 4..=MAX).contains(&line.as_str().len()));
        }
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(Line::new(format_args!("a\nb\r\x1b[31mc")).as_str(), "a b  [31mc");
    }
}
