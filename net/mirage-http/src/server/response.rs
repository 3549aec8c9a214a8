//! The head of a response (RFC 9112 §4, §6).

use crate::outgoing::put_fields;
use crate::writer::Writer;
use crate::{HeadError, Length, Status};

/// What a request demands of the response's framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The response has no body: the method was `HEAD`.
    pub head_only: bool,
    /// The connection goes on afterwards.
    pub keep_alive: bool,
    /// The peer speaks HTTP/1.0: it does not know chunks, and does not keep alive by itself.
    pub old: bool,
}

/// How the body of a response has to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Not at all.
    Nothing,
    /// As it is, so many bytes.
    Length(u64),
    /// In chunks: [`chunked::size_line`](crate::chunked::size_line), and [`chunked::END`](crate::chunked::END).
    Chunked,
    /// As it is, and its end is the end of the stream.
    UntilClose,
}

/// The head of a response. `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are not among its fields.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'h> {
    status: Status,
    length: Length,
    fields: &'h [(&'h str, &'h [u8])],
    date: Option<&'h [u8; 29]>,
}

impl<'h> ResponseHead<'h> {
    /// A head for a body of that length. A response to `HEAD`, and one with 304, gets the length that the body would
    /// have; it is not sent.
    #[inline]
    pub fn new(status: Status, length: Length, fields: &'h [(&'h str, &'h [u8])]) -> Self {
        Self { status, length, fields, date: None }
    }

    /// The head with a `Date`, as [`date::format`](crate::date::format) writes it.
    #[inline]
    pub fn date(self, date: Option<&'h [u8; 29]>) -> Self {
        Self { date, ..self }
    }

    /// Writes it into `buffer`; returns its length and how the body is sent.
    ///
    /// # Errors
    /// [`HeadError`]; the buffer is then unspecified.
    pub fn write(&self, terms: Terms, buffer: &mut [u8]) -> Result<(usize, Sending), HeadError> {
        if self.status.is_informational() {
            return Err(HeadError::NotFinal);
        }
        let mut writer = Writer::new(buffer);
        // Each line but the first begins with the end of the one before.
        if self.status == Status::OK {
            writer.put(b"HTTP/1.1 200 OK");
        } else {
            writer.put(b"HTTP/1.1 ");
            writer.put_decimal(self.status.code().into());
            writer.put(b" ");
            writer.put(self.status.reason().as_bytes());
        }
        if let Some(date) = self.date {
            writer.put(b"\r\nDate: ");
            writer.put(date);
        }
        let mut sending = match self.length {
            // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status code
            // of 1xx (Informational) or 204 (No Content)."
            _ if self.status.has_no_body() && self.status != Status::NOT_MODIFIED => Sending::Nothing,
            Length::Known(length) => {
                writer.put(b"\r\nContent-Length: ");
                writer.put_decimal(length);
                Sending::Length(length)
            }
            Length::Unknown if terms.old => Sending::UntilClose,
            Length::Unknown => {
                writer.put(b"\r\nTransfer-Encoding: chunked");
                Sending::Chunked
            }
        };
        if terms.head_only || self.status.has_no_body() {
            sending = Sending::Nothing;
        }
        match (terms.keep_alive && sending != Sending::UntilClose, terms.old) {
            (false, _) => writer.put(b"\r\nConnection: close"),
            (true, true) => writer.put(b"\r\nConnection: keep-alive"),
            (true, false) => {}
        }
        put_fields(&mut writer, self.fields)?;
        writer.put(b"\r\n\r\n");
        Ok((writer.finish().ok_or(HeadError::BufferTooSmall)?, sending))
    }
}
