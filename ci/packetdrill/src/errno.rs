//! What a call answers when it fails.

use libc::c_int;
use mirage_tcp::{ConnectError, Error, ListenError};

/// An error number of the C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) c_int);

/// What a call answers.
pub(crate) type Answer<T> = Result<T, Errno>;

impl From<Error> for Errno {
    fn from(error: Error) -> Self {
        Self(match error {
            Error::ConnectionRefused => libc::ECONNREFUSED,
            Error::ConnectionReset => libc::ECONNRESET,
            Error::TimedOut => libc::ETIMEDOUT,
            Error::HostUnreachable => libc::EHOSTUNREACH,
            _ => libc::EPIPE,
        })
    }
}

impl From<ConnectError> for Errno {
    fn from(error: ConnectError) -> Self {
        Self(match error {
            ConnectError::AddressInUse => libc::EADDRINUSE,
            ConnectError::InvalidAddress => libc::EADDRNOTAVAIL,
            _ => libc::EAGAIN,
        })
    }
}

impl From<ListenError> for Errno {
    fn from(error: ListenError) -> Self {
        Self(match error {
            ListenError::AddressInUse => libc::EADDRINUSE,
            _ => libc::ENOBUFS,
        })
    }
}
