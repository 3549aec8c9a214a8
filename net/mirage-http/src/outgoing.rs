//! How long a body is that goes out.

use core::fmt;

use crate::writer::Writer;

/// The length of a body that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes.
    Known(u64),
    /// Not known yet: the body goes out in chunks, or, to a peer of HTTP/1.0, until the connection closes.
    Unknown,
}

/// Why a head cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadError {
    /// The buffer is shorter than the head.
    BufferTooSmall,
    /// A field's name is no token, or a name or value has a byte that would end the line and start another.
    InvalidField,
    /// The status is one that another response follows.
    NotFinal,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BufferTooSmall => "the buffer is shorter than the head",
            Self::InvalidField => "a header field has a byte that fields cannot have",
            Self::NotFinal => "the status announces another response",
        })
    }
}

impl core::error::Error for HeadError {}

/// Writes the fields, each on its line.
pub(crate) fn put_fields(writer: &mut Writer<'_>, fields: &[(&str, &[u8])]) -> Result<(), HeadError> {
    for (name, value) in fields {
        if name.is_empty() || !name.bytes().all(is_token) || !value.iter().all(|byte| is_value(*byte)) {
            return Err(HeadError::InvalidField);
        }
        writer.put(name.as_bytes());
        writer.put(b": ");
        writer.put(value);
        writer.put(b"\r\n");
    }
    Ok(())
}

/// RFC 9110 §5.6.2.
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// RFC 9110 §5.5: visible bytes, spaces and tabs.
pub(crate) const fn is_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=0x7e | 0x80..)
}
