//! The head of a request (RFC 9112 §3).

use crate::outgoing::put_fields;
use crate::scan::text;
use crate::target::{Target, is_authority};
use crate::writer::Writer;
use crate::{HeadError, Length, Method};

/// The head of a request. `Host`, `Content-Length` and `Transfer-Encoding` are not among its fields.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'h> {
    method: Method,
    target: &'h str,
    host: &'h str,
    length: Length,
    fields: &'h [(&'h str, &'h [u8])],
}

impl<'h> RequestHead<'h> {
    /// A head with a target in any form (`/path?query`), already coded, for a body of that length.
    pub fn new(
        method: Method,
        target: &'h str,
        host: &'h str,
        length: Length,
        fields: &'h [(&'h str, &'h [u8])],
    ) -> Self {
        Self { method, target, host, length, fields }
    }

    /// Writes it into `buffer`; returns its length. A body of unknown length is then sent in chunks.
    ///
    /// # Errors
    /// [`HeadError`]: `InvalidField` also when the target or host has bytes that would end it, or the method has no
    /// name; the buffer is then unspecified.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, HeadError> {
        let speakable = self.method != Method::Other
            && Target::new(self.method, self.target).is_some()
            && is_authority(self.host)
            && text(self.host.as_bytes(), 0) == self.host.len();
        if !speakable {
            return Err(HeadError::InvalidField);
        }
        let mut writer = Writer::new(buffer);
        writer.put(self.method.as_str().as_bytes());
        writer.put(b" ");
        writer.put(self.target.as_bytes());
        writer.put(b" HTTP/1.1\r\nHost: ");
        writer.put(self.host.as_bytes());
        match (self.length, self.method) {
            // RFC 9110 §8.6: only a method that gives a body a meaning says that there is none.
            (Length::Known(0), Method::Get | Method::Head | Method::Delete | Method::Options | Method::Connect) => {}
            (Length::Known(length), _) => {
                writer.put(b"\r\nContent-Length: ");
                writer.put_decimal(length);
            }
            (Length::Unknown, _) => writer.put(b"\r\nTransfer-Encoding: chunked"),
        }
        put_fields(&mut writer, self.fields)?;
        writer.put(b"\r\n\r\n");
        writer.finish().ok_or(HeadError::BufferTooSmall)
    }
}
