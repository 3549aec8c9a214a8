//! Why a stack said no, in terms of what the application can do.

use core::convert::Infallible;
use core::fmt;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address or port is taken: choose another.
    AddressInUse,
    /// No such address here.
    AddressNotAvailable,
    /// Nobody listens there.
    ConnectionRefused,
    /// The peer broke the connection off.
    ConnectionReset,
    /// We broke the connection off.
    ConnectionAborted,
    /// The peer does not answer.
    TimedOut,
    /// There is no way to that host.
    HostUnreachable,
    /// A table or pool is full: free something, or give the stack more storage.
    OutOfResources,
    /// The message is longer than the socket or the network can carry.
    MessageTooLong,
    /// This stack cannot do that (for example IPv6 on a stack without it).
    Unsupported,
    /// The direction or socket was closed before.
    Closed,
    /// Something else; the error's text says more.
    Other,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressInUse => "address in use",
            Self::AddressNotAvailable => "address not available",
            Self::ConnectionRefused => "connection refused",
            Self::ConnectionReset => "connection reset by peer",
            Self::ConnectionAborted => "connection aborted",
            Self::TimedOut => "timed out",
            Self::HostUnreachable => "host unreachable",
            Self::OutOfResources => "out of resources",
            Self::MessageTooLong => "message too long",
            Self::Unsupported => "not supported",
            Self::Closed => "closed",
            Self::Other => "network error",
        })
    }
}

impl core::error::Error for ErrorKind {}

/// An error of a stack that can be told by its kind.
pub trait Error: core::error::Error {
    /// What went wrong, in terms every stack shares.
    fn kind(&self) -> ErrorKind;
}

impl Error for ErrorKind {
    fn kind(&self) -> ErrorKind {
        *self
    }
}

impl Error for Infallible {
    fn kind(&self) -> ErrorKind {
        match *self {}
    }
}

/// The error type that everything of one stack shares.
pub trait ErrorType {
    /// The error.
    type Error: Error + embedded_io_async::Error;
}

impl<T: ErrorType + ?Sized> ErrorType for &T {
    type Error = T::Error;
}

impl<T: ErrorType + ?Sized> ErrorType for &mut T {
    type Error = T::Error;
}

impl embedded_io_async::Error for ErrorKind {
    fn kind(&self) -> embedded_io_async::ErrorKind {
        use embedded_io_async::ErrorKind as Io;
        match self {
            Self::AddressInUse => Io::AddrInUse,
            Self::AddressNotAvailable => Io::AddrNotAvailable,
            Self::ConnectionRefused => Io::ConnectionRefused,
            Self::ConnectionReset => Io::ConnectionReset,
            Self::ConnectionAborted => Io::ConnectionAborted,
            Self::TimedOut => Io::TimedOut,
            Self::OutOfResources => Io::OutOfMemory,
            Self::MessageTooLong => Io::InvalidInput,
            Self::Unsupported => Io::Unsupported,
            Self::Closed => Io::NotConnected,
            Self::HostUnreachable | Self::Other => Io::Other,
        }
    }
}
