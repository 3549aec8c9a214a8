//! Connections and the door they come through.

use core::future::Future;
use core::net::SocketAddr;

use mirage_flow::{Flow, Split};

use crate::{ErrorType, Keepalive};

/// An accepted or opened connection.
///
/// `read` gives 0 when the peer has ended its direction. Dropping the stream closes it: what was written is still
/// delivered in the background.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a TCP stream")]
pub trait TcpStream: Flow + Split + embedded_io_async::ErrorType<Error: crate::Error> {
    /// Our end.
    fn local_addr(&self) -> SocketAddr;

    /// The peer's end.
    fn remote_addr(&self) -> SocketAddr;

    /// Sends small writes at once (`true`) or collects them while data is in flight (`false`, the default).
    fn set_nodelay(&mut self, nodelay: bool);

    /// Probes an idle peer from now on, or stops doing so.
    fn set_keepalive(&mut self, keepalive: Option<Keepalive>);

    /// Breaks the connection off: the peer is told at once and unsent bytes are lost.
    fn abort(self);
}

/// A door for connections.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a TCP listener")]
pub trait TcpListener: ErrorType {
    /// What comes through it.
    type Stream;

    /// The oldest established connection that waits.
    ///
    /// Several tasks may accept at once. Cancel-safe: no connection is lost.
    ///
    /// # Errors
    /// When the listener is broken; a connection that fails while it waits is skipped.
    fn accept(&mut self) -> impl Future<Output = Result<Self::Stream, Self::Error>>;

    /// Where it listens, with the port that was chosen.
    fn local_addr(&self) -> SocketAddr;
}
