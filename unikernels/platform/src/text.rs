//! A line of text with a bound, put together without the machinery of formatting where that can be avoided: that is the
//! largest part of a small image.

use core::fmt;
use core::net::SocketAddrV4;

/// Longest line in bytes; what is longer ends in `…`.
const MAX: usize = 512;
const CUT: &str = "…";

/// One line: control characters in it become spaces, so that it stays one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Invariant: `bytes[..len]` is whole characters, but while one is appended.
    bytes: [u8; MAX],
    /// Invariant: at most `MAX - CUT.len()` until the line is cut.
    len: usize,
    cut: bool,
}

impl Line {
    /// An empty line.
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; MAX], len: 0, cut: false }
    }

    pub(crate) fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // SAFETY: whole characters, by the invariant of `bytes`.
        unsafe { core::str::from_utf8_unchecked(bytes) }
    }

    /// Appends `text`.
    #[inline(never)]
    pub(crate) fn put(&mut self, text: &str) -> &mut Self {
        for byte in text.bytes() {
            self.push(byte);
        }
        self
    }

    /// Appends spaces until there are `width` bytes.
    pub(crate) fn pad(&mut self, width: usize) -> &mut Self {
        while self.len < width.min(MAX - CUT.len()) {
            self.push(b' ');
        }
        self
    }

    /// Appends all of `parts`.
    pub(crate) fn put_all(&mut self, parts: &[&str]) -> &mut Self {
        for part in parts {
            self.put(part);
        }
        self
    }

    /// Appends what `shown` shows.
    pub(crate) fn show(&mut self, shown: &dyn fmt::Display) -> &mut Self {
        self.format(format_args!("{shown}"))
    }

    /// Appends formatted text.
    pub(crate) fn format(&mut self, text: fmt::Arguments<'_>) -> &mut Self {
        // An error of somebody's `Display` leaves the line as it is.
        let _ = fmt::write(self, text);
        self
    }

    /// Appends `number` in decimal, at least `width` digits wide, at most 20.
    pub(crate) fn number(&mut self, number: u64, width: usize) -> &mut Self {
        self.digits(number, 10, width)
    }

    /// Appends an address and a port.
    pub(crate) fn place(&mut self, place: SocketAddrV4) -> &mut Self {
        for (octet, separator) in place.ip().octets().into_iter().zip([".", ".", ".", ":"]) {
            self.number(octet.into(), 1).put(separator);
        }
        self.number(place.port().into(), 1)
    }

    /// Appends `number` in hexadecimal.
    #[cfg(any(all(feature = "image", not(feature = "unix")), test))]
    pub(crate) fn hexadecimal(&mut self, number: u64) -> &mut Self {
        self.put("0x").digits(number, 16, 1)
    }

    fn digits(&mut self, mut number: u64, base: u64, width: usize) -> &mut Self {
        let mut digits = [b'0'; 20];
        let mut used = 0;
        for place in digits.iter_mut().rev() {
            *place = DIGITS.get((number % base) as usize).copied().unwrap_or_default();
            number /= base;
            used += 1;
            if number == 0 && used >= width {
                break;
            }
        }
        for digit in digits.iter().skip(digits.len() - used) {
            self.push(*digit);
        }
        self
    }

    /// Appends one byte of a text, whose other bytes follow before anybody looks.
    fn push(&mut self, byte: u8) {
        if self.cut {
            return;
        }
        // The control characters of Unicode: below the space, DEL, and `C2 80` to `C2 9F`.
        let last = self.len.checked_sub(1).and_then(|last| self.bytes.get_mut(last));
        if let (0x80..0xa0, Some(last @ 0xc2)) = (byte, last) {
            *last = b' ';
            return;
        }
        let byte = if byte < b' ' || byte == 0x7f { b' ' } else { byte };
        if self.len < MAX - CUT.len() {
            self.append(byte);
            return;
        }
        if is_inside(byte) {
            // The character of which this is a part goes.
            while let Some(last) = self.len.checked_sub(1) {
                self.len = last;
                if !self.bytes.get(last).is_some_and(|byte| is_inside(*byte)) {
                    break;
                }
            }
        }
        for byte in CUT.bytes() {
            self.append(byte);
        }
        self.cut = true;
    }

    fn append(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }
}

/// Whether it is a byte of a character that is not its first.
const fn is_inside(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn line(text: &str) -> Line {
        let mut line = Line::new();
        line.put(text);
        line
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        for pad in 0..4 {
            let long = line(&format!("{:pad$}{}", "", "é€🦀".repeat(200)));
            assert!(long.as_str().ends_with(CUT), "{}", long.as_str());
            assert!((MAX - 4..=MAX).contains(&long.as_str().len()));
        }
    }

    #[test]
    fn nothing_comes_after_the_cut() {
        let mut long = line(&"x".repeat(600));
        let before = long.clone();
        long.put("more").number(5, 1);
        assert_eq!(long, before);
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(line("a\nb\r\x1b[31mc").as_str(), "a b  [31mc");
    }

    #[test]
    fn every_control_character_becomes_one_space_and_no_other_does() {
        for character in (0..0x3000).filter_map(char::from_u32) {
            let text = format!("é{character}é");
            let shown = if character.is_control() { "é é" } else { &text };
            assert_eq!(line(&text).as_str(), shown);
        }
    }

    #[test]
    fn numbers_are_as_wide_as_they_are_asked_to_be() {
        let shown = |number, width| Line::new().number(number, width).as_str().to_string();
        assert_eq!((shown(0, 1), shown(7, 6), shown(u64::MAX, 1)), ("0".into(), "000007".into(), u64::MAX.to_string()));
        let place = "10.0.255.7:65535";
        assert_eq!(Line::new().place(place.parse().expect("a place")).as_str(), place);
        assert_eq!(Line::new().hexadecimal(0xdead_0010).as_str(), "0xdead0010");
    }
}
