//! Datagrams.

use core::future::Future;
use core::net::{IpAddr, SocketAddr};

use crate::ErrorType;

/// A received datagram's length and ends; its bytes are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The datagram's length in bytes. When it is more than the buffer's, the rest was cut off.
    pub len: usize,
    /// Who sent it.
    pub remote: SocketAddr,
    /// The address of ours that it was sent to.
    pub local: SocketAddr,
}

/// A datagram socket. All methods take `&self`, so that one task can send while another receives.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a UDP socket")]
pub trait UdpSocket: ErrorType {
    /// Receives the oldest datagram into `buffer`.
    ///
    /// Cancel-safe: a datagram is taken only when the future is ready.
    ///
    /// # Errors
    /// `ConnectionRefused` once for each ICMP error about a datagram that a connected socket sent.
    fn recv_from(&self, buffer: &mut [u8]) -> impl Future<Output = Result<Datagram, Self::Error>>;

    /// Sends `payload` to `remote`. Waits only while the socket's own queue is full; a remote that does not answer
    /// blocks nobody.
    ///
    /// Cancel-safe: the datagram is queued whole or not at all.
    ///
    /// # Errors
    /// `MessageTooLong`, `HostUnreachable`, or on a connected socket `ConnectionRefused`.
    fn send_to(&self, payload: &[u8], remote: SocketAddr) -> impl Future<Output = Result<(), Self::Error>>;

    /// Receives only from `remote` from now on; `None` undoes it.
    ///
    /// # Errors
    /// `Unsupported` for the wrong IP version.
    fn connect(&self, remote: Option<SocketAddr>) -> Result<(), Self::Error>;

    /// Our end, with the port that was chosen.
    fn local_addr(&self) -> SocketAddr;

    /// Receives what is sent to `group` too.
    ///
    /// # Errors
    /// `AddressNotAvailable` when `group` is no multicast address, `OutOfResources` when the table of groups is full.
    fn join_multicast(&self, group: IpAddr) -> Result<(), Self::Error>;

    /// Undoes one [`join_multicast`](Self::join_multicast).
    ///
    /// # Errors
    /// `AddressNotAvailable` when the socket is not in `group`.
    fn leave_multicast(&self, group: IpAddr) -> Result<(), Self::Error>;
}
