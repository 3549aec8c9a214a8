//! Why a socket said no.

use core::fmt;

use mirage_net::SendError;
use mirage_stack::ErrorKind;

/// Why a socket did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens there; said once for each ICMP error about what a connected socket sent.
    Refused,
    /// There is no way to that host now. Said once for each datagram or ICMP error, and only on a connected socket.
    HostUnreachable,
    /// Longer than 65,507 bytes, than the socket's queue or than the pool: make it shorter.
    MessageTooLong,
    /// The address or port cannot be used like that: an unspecified remote, or a source that is not the socket's.
    AddressNotAvailable,
    /// The address is of another IP version than the socket's.
    Unsupported,
    /// The device has no buffer free: try again later. Only from [`Udp::send_now`](crate::Udp::send_now).
    Busy,
    /// The socket was closed.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "nobody listens on the remote port",
            Self::HostUnreachable => "the remote host cannot be reached",
            Self::MessageTooLong => "the datagram is too long",
            Self::AddressNotAvailable => "the address or port cannot be used",
            Self::Unsupported => "the address is of another IP version",
            Self::Busy => "the device has no free buffer",
            Self::Closed => "the socket is closed",
        })
    }
}

impl core::error::Error for Error {}

impl mirage_stack::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused => ErrorKind::ConnectionRefused,
            Self::HostUnreachable => ErrorKind::HostUnreachable,
            Self::MessageTooLong => ErrorKind::MessageTooLong,
            Self::AddressNotAvailable => ErrorKind::AddressNotAvailable,
            Self::Unsupported => ErrorKind::Unsupported,
            Self::Busy => ErrorKind::OutOfResources,
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Full => Self::Busy,
            SendError::TooLong | SendError::WouldFragment { .. } => Self::MessageTooLong,
            SendError::Disconnected => Self::Closed,
            _ => Self::HostUnreachable,
        }
    }
}

/// Why no socket was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket has this address and port: choose others.
    InUse,
    /// Every ephemeral port is taken: close something.
    NoPort,
    /// The table of sockets is full: close something, or lend more slots.
    TableFull,
    /// The address is of an IP version that the machine does not speak.
    Unsupported,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "the address and port are in use",
            Self::NoPort => "no ephemeral port is free",
            Self::TableFull => "the table of sockets is full",
            Self::Unsupported => "the address is of another IP version",
        })
    }
}

impl core::error::Error for BindError {}

impl mirage_stack::Error for BindError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse => ErrorKind::AddressInUse,
            Self::NoPort | Self::TableFull => ErrorKind::OutOfResources,
            Self::Unsupported => ErrorKind::Unsupported,
        }
    }
}
