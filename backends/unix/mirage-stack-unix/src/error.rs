//! The host's error numbers in the words every stack shares.

use std::fmt;
use std::io;

use mirage_stack::ErrorKind;
use rustix::io::Errno;

/// Why the host said no: a kind that every stack shares, and the host's own number where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError {
    kind: ErrorKind,
    errno: Option<i32>,
}

impl HostError {
    /// The host's error number (`errno`), or `None` when it was not the host that said no.
    pub const fn errno(&self) -> Option<i32> {
        self.errno
    }
}

impl From<ErrorKind> for HostError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, errno: None }
    }
}

impl From<Errno> for HostError {
    fn from(errno: Errno) -> Self {
        let kind = match errno {
            Errno::ADDRINUSE => ErrorKind::AddressInUse,
            Errno::ADDRNOTAVAIL | Errno::NODEV => ErrorKind::AddressNotAvailable,
            Errno::CONNREFUSED => ErrorKind::ConnectionRefused,
            // The peer had reset the connection before we wrote.
            Errno::CONNRESET | Errno::PIPE => ErrorKind::ConnectionReset,
            Errno::CONNABORTED => ErrorKind::ConnectionAborted,
            Errno::TIMEDOUT => ErrorKind::TimedOut,
            Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::HOSTDOWN | Errno::NETDOWN => ErrorKind::HostUnreachable,
            Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::AGAIN => ErrorKind::OutOfResources,
            Errno::MSGSIZE => ErrorKind::MessageTooLong,
            Errno::AFNOSUPPORT | Errno::OPNOTSUPP | Errno::PROTONOSUPPORT => ErrorKind::Unsupported,
            Errno::NOTCONN => ErrorKind::Closed,
            _ => ErrorKind::Other,
        };
        Self { kind, errno: Some(errno.raw_os_error()) }
    }
}

impl From<io::Error> for HostError {
    fn from(error: io::Error) -> Self {
        Errno::from_io_error(&error).map_or_else(|| ErrorKind::Other.into(), Self::from)
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno {
            Some(errno) => write!(f, "{}", io::Error::from_raw_os_error(errno)),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl std::error::Error for HostError {}

impl mirage_stack::Error for HostError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl embedded_io_async::Error for HostError {
    fn kind(&self) -> embedded_io_async::ErrorKind {
        embedded_io_async::Error::kind(&self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirage_stack::Error;

    #[test]
    fn a_taken_port_is_told_by_kind_and_by_number() {
        let error = HostError::from(io::Error::from(Errno::ADDRINUSE));
        assert_eq!(Error::kind(&error), ErrorKind::AddressInUse);
        assert_eq!(error.errno(), Some(Errno::ADDRINUSE.raw_os_error()));
    }

    #[test]
    fn an_error_without_a_number_is_other() {
        assert_eq!(Error::kind(&HostError::from(io::Error::other("?"))), ErrorKind::Other);
    }
}
