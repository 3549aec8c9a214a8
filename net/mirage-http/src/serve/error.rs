//! Why an exchange failed.

use core::fmt;

use mirage_flow::ErrorKind;

use crate::{HeadError, Refusal, Status};

/// Why an exchange failed. A handler passes on what it gets; the connection then closes, and where no response has
/// begun the peer is told a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The request's body is malformed, too large or too slow.
    Refused(Refusal),
    /// The stream ended before the request's body.
    Ended,
    /// The flow is broken.
    Flow(ErrorKind),
    /// The peer does not read what it asked for.
    Slow,
    /// The handler's head cannot be written.
    Head(HeadError),
    /// The handler's body has another length than its head says.
    Length,
    /// The store failed.
    Store(mirage_kv::ErrorKind),
    /// The handler failed; what it could not do is its own affair.
    Failed,
}

impl Error {
    /// The status that tells the peer; `None` when there is nobody to tell.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Refused(refusal) => Some(refusal.status()),
            Self::Ended | Self::Flow(_) | Self::Slow => None,
            Self::Head(_) | Self::Length | Self::Store(_) | Self::Failed => Some(Status::INTERNAL_SERVER_ERROR),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Head(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Ended => f.write_str("the stream ended before the body"),
            Self::Flow(_) => f.write_str("the flow is broken"),
            Self::Slow => f.write_str("the peer does not read"),
            Self::Length => f.write_str("the body has another length than its head says"),
            Self::Failed => f.write_str("the handler failed"),
        }
    }
}

impl core::error::Error for Error {}

impl From<HeadError> for Error {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

impl From<mirage_kv::ErrorKind> for Error {
    fn from(error: mirage_kv::ErrorKind) -> Self {
        Self::Store(error)
    }
}
