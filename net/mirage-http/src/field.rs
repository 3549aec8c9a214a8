//! Header fields, as places in the buffer that holds the head (RFC 9110 §5).

use crate::cut::same;

/// Room for one header field: where in the head its name and value are. Lent in arrays, it bounds their number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Field {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// A part of a head: where it begins and how long it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u16,
    length: u16,
}

/// The header fields of a message, in the order they came.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    head: &'a [u8],
    places: &'a [Field],
}

impl Span {
    /// From `start` to before `end`: places in a head, which has at most 65 535 bytes.
    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u16, length: end.wrapping_sub(start) as u16 }
    }

    /// Where `part` is in `head`, of which it was cut.
    #[inline]
    pub(crate) fn within(head: &[u8], part: &[u8]) -> Self {
        // An offset, not a pointer that is read.
        let start = part.as_ptr().addr().wrapping_sub(head.as_ptr().addr());
        Self { start: start as u16, length: part.len() as u16 }
    }

    /// The part of `head`.
    #[inline]
    pub(crate) fn of(self, head: &[u8]) -> &[u8] {
        let start = usize::from(self.start);
        head.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}

impl Field {
    /// Where `name` and `value` are in `head`, of which they are parts of at most 65 535 bytes from its start.
    #[inline]
    pub(crate) fn new(head: &[u8], name: &[u8], value: &[u8]) -> Self {
        Self { name: Span::within(head, name), value: Span::within(head, value) }
    }
}

impl<'a> Fields<'a> {
    #[inline]
    pub(crate) fn new(head: &'a [u8], places: &'a [Field]) -> Self {
        Self { head, places }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Names and values; a value has no white space around it, and is not always UTF-8.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let head = self.head;
        self.places.iter().map(move |field| (field.name.of(head), field.value.of(head)))
    }

    /// The value of the first field of this name, in any case.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all fields of this name, in any case.
    #[inline]
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.iter().filter(move |(other, _)| same(other, name.as_bytes())).map(|(_, value)| value)
    }
}

/// The members of a list (RFC 9110 §5.6.1) without the white space around them; empty ones are left out.
pub(crate) fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}
