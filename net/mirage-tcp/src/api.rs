//! What an application does with a connection.

use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll};

use mirage_clock::{Duration, Instant};
pub use mirage_stack::flow::Direction;
use mirage_stack::{Keepalive, ListenOptions, TcpOptions};

use crate::{ConnectError, ConnectionId, Error, Info, ListenError, ListenerId, Local, State, Tcp};

impl Tcp<'_> {
    /// Listens on `local`.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(&mut self, _local: Local, _options: ListenOptions) -> Result<ListenerId, ListenError> {
        Err(ListenError::OutOfListeners)
    }

    /// The oldest established connection that waits at a listener.
    ///
    /// # Errors
    /// [`Error::Closed`] when there is no such listener.
    pub fn poll_accept(&mut self, _id: ListenerId, _cx: &mut Context<'_>) -> Poll<Result<ConnectionId, Error>> {
        Poll::Ready(Err(Error::Closed))
    }

    /// What a listener listens on.
    pub fn listener_local(&self, _id: ListenerId) -> Option<Local> {
        None
    }

    /// Closes a listener; connections that wait in its queue are reset.
    pub fn close_listener(&mut self, _id: ListenerId) {}

    /// Opens a connection.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(
        &mut self,
        _now: Instant,
        _source: IpAddr,
        _local_port: Option<NonZeroU16>,
        _remote: SocketAddr,
        _options: TcpOptions,
    ) -> Result<ConnectionId, ConnectError> {
        Err(ConnectError::OutOfConnections)
    }

    /// Whether the handshake is over.
    ///
    /// # Errors
    /// Why it failed.
    pub fn poll_connected(&mut self, _id: ConnectionId, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Err(Error::Closed))
    }

    /// Reads what has come: at least one byte; 0 is the end (or an empty buffer).
    ///
    /// # Errors
    /// Why the connection is broken.
    pub fn poll_read(
        &mut self,
        _id: ConnectionId,
        _cx: &mut Context<'_>,
        _buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        Poll::Ready(Err(Error::Closed))
    }

    /// Reads in place: `take` sees the oldest bytes, an empty slice at the end, and says how many of them it took.
    ///
    /// # Errors
    /// Why the connection is broken.
    pub fn poll_read_with<R>(
        &mut self,
        _id: ConnectionId,
        _cx: &mut Context<'_>,
        _take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Poll<Result<R, Error>> {
        Poll::Ready(Err(Error::Closed))
    }

    /// Writes at least one byte (unless `bytes` is empty) and says how many.
    ///
    /// # Errors
    /// Why the connection is broken.
    pub fn poll_write(
        &mut self,
        _id: ConnectionId,
        _cx: &mut Context<'_>,
        _bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        Poll::Ready(Err(Error::Closed))
    }

    /// Whether everything written was sent at least once.
    ///
    /// # Errors
    /// Why the connection is broken.
    pub fn poll_flush(&mut self, _id: ConnectionId, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Err(Error::Closed))
    }

    /// Waits until a read would not wait.
    pub fn poll_readable(&mut self, _id: ConnectionId, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Waits until a write would not wait.
    pub fn poll_writable(&mut self, _id: ConnectionId, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Whether a read would not wait.
    pub fn can_read(&self, _id: ConnectionId) -> bool {
        true
    }

    /// Whether a write would not wait.
    pub fn can_write(&self, _id: ConnectionId) -> bool {
        true
    }

    /// Ends one direction or both.
    ///
    /// # Errors
    /// Why the connection is broken.
    pub fn shutdown(&mut self, _id: ConnectionId, _direction: Direction) -> Result<(), Error> {
        Err(Error::Closed)
    }

    /// Gives the connection back; what was written is still delivered.
    pub fn close(&mut self, _id: ConnectionId) {}

    /// Breaks the connection off and gives it back.
    pub fn abort(&mut self, _id: ConnectionId) {}

    /// Sends small writes at once, or collects them.
    pub fn set_nodelay(&mut self, _id: ConnectionId, _nodelay: bool) {}

    /// Probes an idle peer from now on, or stops doing so.
    pub fn set_keepalive(&mut self, _id: ConnectionId, _keepalive: Option<Keepalive>) {}

    /// Gives the connection up after so long without progress; `None` for the machine's default.
    pub fn set_user_timeout(&mut self, _id: ConnectionId, _timeout: Option<Duration>) {}

    /// Our end.
    pub fn local(&self, _id: ConnectionId) -> Option<SocketAddr> {
        None
    }

    /// The peer's end.
    pub fn remote(&self, _id: ConnectionId) -> Option<SocketAddr> {
        None
    }

    /// Where the connection is in its life; `None` when there is no such connection.
    pub fn state(&self, _id: ConnectionId) -> Option<State> {
        None
    }

    /// What the connection measures.
    pub fn info(&self, _id: ConnectionId) -> Option<Info> {
        None
    }
}
