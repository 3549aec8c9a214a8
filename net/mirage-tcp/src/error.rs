//! What an application is told.

use core::fmt;

use mirage_stack::ErrorKind;

/// Why a connection does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens there: try elsewhere or later.
    ConnectionRefused,
    /// The peer broke the connection off.
    ConnectionReset,
    /// The peer does not answer: neither to data within the user timeout nor to keepalive probes, or never did.
    TimedOut,
    /// There is no way to that host.
    HostUnreachable,
    /// This direction was shut down before, or the identifier is of a connection or listener that is no more.
    Closed,
}

impl Error {
    /// The same in terms that all stacks share.
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::ConnectionRefused => ErrorKind::ConnectionRefused,
            Self::ConnectionReset => ErrorKind::ConnectionReset,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::HostUnreachable => ErrorKind::HostUnreachable,
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionRefused => "connection refused",
            Self::ConnectionReset => "connection reset by peer",
            Self::TimedOut => "the peer does not answer",
            Self::HostUnreachable => "host unreachable",
            Self::Closed => "closed",
        })
    }
}

impl core::error::Error for Error {}

impl mirage_stack::Error for Error {
    fn kind(&self) -> ErrorKind {
        (*self).kind()
    }
}

/// Why there is no listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenError {
    /// Another listener has this very address and port: choose another port.
    AddressInUse,
    /// All listener slots are taken: close one or lend more.
    OutOfListeners,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressInUse => "another listener has this address and port",
            Self::OutOfListeners => "all listener slots are taken",
        })
    }
}

impl core::error::Error for ListenError {}

impl mirage_stack::Error for ListenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AddressInUse => ErrorKind::AddressInUse,
            Self::OutOfListeners => ErrorKind::OutOfResources,
        }
    }
}

/// Why no connection can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// There is a connection between these two addresses and ports already: choose another local port.
    AddressInUse,
    /// Every local port towards this peer that was tried is taken: close a connection.
    OutOfPorts,
    /// All connection slots are taken: close one or lend more.
    OutOfConnections,
    /// No connection can lead there: an unspecified, multicast or broadcast address, port 0, ourselves on the same
    /// port, or addresses of different versions.
    InvalidAddress,
    /// The profile opens none ([`Profile::OPENS`](crate::Profile::OPENS)): take another.
    Unsupported,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressInUse => "there is such a connection already",
            Self::OutOfPorts => "no local port is free",
            Self::OutOfConnections => "all connection slots are taken",
            Self::InvalidAddress => "no connection can lead there",
            Self::Unsupported => "this profile opens no connections",
        })
    }
}

impl core::error::Error for ConnectError {}

impl mirage_stack::Error for ConnectError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AddressInUse => ErrorKind::AddressInUse,
            Self::OutOfPorts | Self::OutOfConnections => ErrorKind::OutOfResources,
            Self::InvalidAddress => ErrorKind::AddressNotAvailable,
            Self::Unsupported => ErrorKind::Unsupported,
        }
    }
}
