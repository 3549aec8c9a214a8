//! Cutting text at a byte of ASCII: what the library has for any pattern is several times as large.

/// What is before and what is behind the first `byte`, which is ASCII.
pub(crate) fn once(text: &str, byte: u8) -> Option<(&str, &str)> {
    at(text, text.bytes().position(|other| other == byte)?)
}

/// What is before and what is behind the last `byte`, which is ASCII.
pub(crate) fn last(text: &str, byte: u8) -> Option<(&str, &str)> {
    at(text, text.bytes().rposition(|other| other == byte)?)
}

fn at(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether two texts are the same but for the case of their letters (ASCII). The library's way is for longer ones, and
/// longer itself.
#[inline(never)]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}
