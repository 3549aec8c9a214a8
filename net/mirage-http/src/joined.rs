//! Texts one behind the other: a table of them takes a byte for each, and none for where it is.

/// Texts, told apart by their lengths.
#[derive(Clone, Copy)]
pub(crate) struct Joined {
    text: &'static str,
    lengths: &'static [u8],
}

impl Joined {
    /// The texts of these lengths, joined: the constants that [`joined!`] makes.
    pub(crate) const fn new(bytes: &'static [u8], lengths: &'static [u8]) -> Self {
        match core::str::from_utf8(bytes) {
            Ok(text) => Self { text, lengths },
            Err(_) => panic!("whole texts were joined"),
        }
    }
}

impl Iterator for Joined {
    type Item = &'static str;

    fn next(&mut self) -> Option<&'static str> {
        let (length, lengths) = self.lengths.split_first()?;
        let (text, rest) = self.text.split_at_checked(usize::from(*length))?;
        *self = Self { text: rest, lengths };
        Some(text)
    }
}

/// How long they are together.
pub(crate) const fn length(texts: &[&str]) -> usize {
    let (mut length, mut at) = (0, 0);
    while at < texts.len() {
        length += texts[at].len();
        at += 1;
    }
    length
}

/// All of them, `N` bytes.
pub(crate) const fn join<const N: usize>(texts: &[&str]) -> [u8; N] {
    let (mut bytes, mut to, mut at) = ([0; N], 0, 0);
    while at < texts.len() {
        let (text, mut from) = (texts[at].as_bytes(), 0);
        while from < text.len() {
            bytes[to] = text[from];
            (from, to) = (from + 1, to + 1);
        }
        at += 1;
    }
    bytes
}

/// The length of each of the `N`, which are shorter than 256 bytes.
pub(crate) const fn lengths<const N: usize>(texts: &[&str]) -> [u8; N] {
    let (mut lengths, mut at) = ([0; N], 0);
    while at < N {
        assert!(texts[at].len() < 256, "the length of a text fits a byte");
        lengths[at] = texts[at].len() as u8;
        at += 1;
    }
    lengths
}

/// Joins an array of texts that is a constant.
macro_rules! joined {
    ($texts:expr) => {{
        static BYTES: [u8; $crate::joined::length(&$texts)] = $crate::joined::join(&$texts);
        static LENGTHS: [u8; $texts.len()] = $crate::joined::lengths(&$texts);
        $crate::joined::Joined::new(&BYTES, &LENGTHS)
    }};
}

pub(crate) use joined;
