//! The way to start an answer.

use crate::server::{ResponseHead, Sending, Terms};
use crate::{HeadError, Length, Status};

/// The way to start an answer: once; what is said later takes the place of what was said before.
#[derive(Debug)]
pub struct Reply<'r> {
    room: &'r mut [u8],
    date: Option<[u8; 29]>,
    terms: Terms,
    started: Option<Started>,
}

/// How long the head is and how the body is sent.
pub(super) type Started = Result<(usize, Sending), HeadError>;

impl<'r> Reply<'r> {
    pub(super) fn new(room: &'r mut [u8], date: Option<[u8; 29]>, terms: Terms) -> Self {
        Self { room, date, terms, started: None }
    }

    /// Answers with a body of `length` bytes.
    ///
    /// `Content-Length`, `Connection` and `Date` are written here and are not among the `fields`. A head that cannot be written
    /// ends the connection with [`Error::Head`](crate::Error::Head), and the peer is told 500.
    #[inline(never)]
    pub fn start(&mut self, status: Status, fields: &[(&str, &[u8])], length: u64) {
        let head = ResponseHead::new(status, Length::Known(length), fields).date(self.date.as_ref());
        self.started = Some(head.write(self.terms, self.room));
    }

    /// What was started, and on what terms.
    pub(super) fn end(self) -> (Option<Started>, Terms) {
        (self.started, self.terms)
    }
}
