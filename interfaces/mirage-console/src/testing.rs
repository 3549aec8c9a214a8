//! A console that keeps its lines, and the exam for every console.

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;

use embedded_io::{ErrorType, Write};

use crate::Console;

/// A console that keeps the newest lines.
#[derive(Clone, Debug)]
pub struct Lines {
    /// Invariant: at most `limit`.
    lines: Vec<String>,
    limit: usize,
    /// What came after the last line end.
    partial: Vec<u8>,
    forgotten: usize,
}

impl Lines {
    /// Keeps the newest `limit` lines.
    pub const fn new(limit: usize) -> Self {
        Self { lines: Vec::new(), limit, partial: Vec::new(), forgotten: 0 }
    }

    /// The lines, oldest first, without their ends. What is not UTF-8 is replaced by `U+FFFD`.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// How many lines were forgotten to make room for newer ones.
    pub const fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// What was written after the last line end.
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    fn end_line(&mut self) {
        self.lines.push(String::from_utf8_lossy(&self.partial).into_owned());
        self.partial.clear();
        if self.lines.len() > self.limit {
            self.lines.remove(0);
            self.forgotten += 1;
        }
    }
}

impl ErrorType for Lines {
    type Error = Infallible;
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte => self.partial.push(*byte),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Console for Lines {}

/// The exam for a console: it takes lines of every length, lines with line ends inside, single bytes and nothing at
/// all, and flushes again and again. `written` tells what the device has shown since the exam began, for devices that
/// can be asked; it must be exactly what was written.
///
/// # Panics
/// When the console fails.
pub fn examine<C: Console>(console: &mut C, written: impl FnOnce(&mut C) -> Option<Vec<u8>>) {
    let mut expected = Vec::new();
    assert_eq!(console.write(&[]).expect("the console works"), 0, "writing nothing");
    for line in ["", "hello", "two\nlines", "grüße, 世界", &"long ".repeat(1000)] {
        console.write_line(line).expect("the console works");
        expected.extend_from_slice(line.as_bytes());
        expected.push(b'\n');
    }
    for byte in b"byte by byte\n" {
        assert_eq!(console.write(&[*byte]).expect("the console works"), 1, "a byte was not taken");
        expected.push(*byte);
    }
    console.flush().expect("the console works");
    console.flush().expect("the console works");
    if let Some(written) = written(console) {
        assert!(written == expected, "the device shows {:?}", String::from_utf8_lossy(&written));
    }
}
