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
        // To the end even when one is bad: good ones are checked in fewer steps so.
        let is_token = name.bytes().fold(!name.is_empty(), |good, byte| good & is_token(byte));
        let is_value = value.iter().fold(true, |good, byte| good & is_value(*byte));
        if !is_token || !is_value {
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
    TOKEN[(byte >> 5) as usize] >> (byte & 31) & 1 != 0
}

/// A bit for each byte that a token may have.
const TOKEN: [u32; 8] = {
    let mut bits = [0; 8];
    let mut byte = 0_u8;
    while byte < 0x7f {
        let punctuation = matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        if byte.is_ascii_alphanumeric() || punctuation {
            bits[(byte >> 5) as usize] |= 1 << (byte & 31);
        }
        byte += 1;
    }
    bits
};

/// RFC 9110 §5.5: visible bytes, spaces and tabs.
pub(crate) const fn is_value(byte: u8) -> bool {
    (byte >= b' ') & (byte != 0x7f) | (byte == b'\t')
}
