//! How long a body is that goes out.

use core::fmt;

use crate::scan::{text, token};
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

/// Writes the fields, each on its line; the end of the line before is written here, and that of the last is not.
pub(crate) fn put_fields(writer: &mut Writer<'_>, fields: &[(&str, &[u8])]) -> Result<(), HeadError> {
    for (name, value) in fields {
        let name = name.as_bytes();
        if name.is_empty() || token(name, 0) < name.len() || text(value, 0) < value.len() {
            return Err(HeadError::InvalidField);
        }
        writer.put(b"\r\n");
        writer.put(name);
        writer.put(b": ");
        writer.put(value);
    }
    Ok(())
}
