//! ELF notes: three words (length of the name with its zero, length of the text, kind), the name, the text; both padded to
//! four bytes.

/// One note.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note<'a> {
    /// Who gives `kind` its meaning; without the zero at its end.
    pub(super) name: &'a [u8],
    pub(super) kind: u32,
    pub(super) text: &'a [u8],
}

/// The notes in `bytes`, up to the first that is cut off.
pub(super) fn notes(mut bytes: &[u8]) -> impl Iterator<Item = Note<'_>> {
    std::iter::from_fn(move || {
        let (note, rest) = Note::first(bytes)?;
        bytes = rest;
        Some(note)
    })
}

impl<'a> Note<'a> {
    fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (name_len, rest) = word(bytes)?;
        let (text_len, rest) = word(rest)?;
        let (kind, rest) = word(rest)?;
        let (name, rest) = padded(rest, name_len)?;
        let (text, rest) = padded(rest, text_len)?;
        Some((Self { name: name.strip_suffix(b"\0").unwrap_or(name), kind, text }, rest))
    }
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}

/// `len` bytes, and what follows their padding; the last note may lack it.
fn padded(bytes: &[u8], len: u32) -> Option<(&[u8], &[u8])> {
    let len = usize::try_from(len).ok()?;
    let taken = bytes.get(..len)?;
    Some((taken, bytes.get(len.checked_next_multiple_of(4)?..).unwrap_or_default()))
}
