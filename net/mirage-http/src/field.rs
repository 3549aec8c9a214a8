//! Header fields, as places in the buffer that holds the head (RFC 9110 §5).

use crate::cut::same;

/// Room for one header field: where in the head its name and value are. Lent in arrays, it bounds their number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Field {
    name: (u16, u16),
    value: (u16, u16),
}

/// The header fields of a message, in the order they came.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    head: &'a [u8],
    places: &'a [Field],
}

impl Field {
    /// Where `name` and `value` are in `head`, of which they are parts of at most 65 535 bytes from its start.
    #[inline]
    pub(crate) fn new(head: &[u8], name: &[u8], value: &[u8]) -> Self {
        Self { name: place(head, name), value: place(head, value) }
    }

    /// The bytes where the name begins.
    #[inline]
    pub(crate) fn name_at(&self) -> usize {
        self.name.0.into()
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
        self.places.iter().map(move |field| (slice(head, field.name), slice(head, field.value)))
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

#[inline]
fn place(head: &[u8], part: &[u8]) -> (u16, u16) {
    // An offset, not a pointer that is read: `part` was cut from `head`.
    let at = part.as_ptr().addr().wrapping_sub(head.as_ptr().addr());
    (at as u16, part.len() as u16)
}

#[inline]
fn slice(head: &[u8], (at, length): (u16, u16)) -> &[u8] {
    let (at, length) = (usize::from(at), usize::from(length));
    head.get(at..at + length).unwrap_or_default()
}
