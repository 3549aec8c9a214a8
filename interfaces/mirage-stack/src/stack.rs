//! The door of a network stack.

use core::future::Future;
use core::net::SocketAddr;

use crate::{ErrorType, ListenOptions, TcpListener, TcpOptions, TcpStream, UdpSocket};

/// What an application asks of a network. Cheap to copy: usually a reference to the stack itself.
///
/// An unspecified local address (`0.0.0.0`) means every address of ours, port 0 a free one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network stack",
    note = "stacks: `&mirage_tcpip::Stack`, `&mirage_stack_unix::HostStack`"
)]
pub trait Stack: ErrorType + Clone {
    /// A connection.
    type TcpStream: TcpStream<Error = Self::Error>;
    /// A door for connections.
    type TcpListener: TcpListener<Stream = Self::TcpStream, Error = Self::Error>;
    /// A datagram socket.
    type UdpSocket: UdpSocket<Error = Self::Error>;

    /// Opens a connection to `remote`.
    ///
    /// Cancel-safe: dropping the future breaks the attempt off.
    ///
    /// # Errors
    /// `ConnectionRefused`, `TimedOut`, `HostUnreachable`, or `OutOfResources` when no connection or port is free.
    fn connect(
        &self,
        remote: SocketAddr,
        options: TcpOptions,
    ) -> impl Future<Output = Result<Self::TcpStream, Self::Error>>;

    /// Listens on `local`.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`, `OutOfResources`.
    fn listen(&self, local: SocketAddr, options: ListenOptions) -> Result<Self::TcpListener, Self::Error>;

    /// A datagram socket on `local`.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`, `OutOfResources`.
    fn bind(&self, local: SocketAddr) -> Result<Self::UdpSocket, Self::Error>;
}
