//! A byte stream in two directions, each of which ends on its own.

use core::future::Future;

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};

/// Which way of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What comes from the peer: later bytes are thrown away and reads say that the stream has ended.
    Read,
    /// What goes to the peer: it sees the end of the stream after all that was written.
    Write,
    /// Both.
    Both,
}

/// Ends one direction of a flow and leaves the other open.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot end one direction of its stream")]
pub trait Shutdown: ErrorType {
    /// Ends `direction`; again is not an error. Everything that was accepted by `write` is still delivered.
    ///
    /// Cancel-safe: the direction counts as ended from the first poll on.
    ///
    /// # Errors
    /// When the flow is broken.
    fn shutdown(&mut self, direction: Direction) -> impl Future<Output = Result<(), Self::Error>>;
}

/// A flow whose two directions can be owned by two tasks.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be split into a reader and a writer")]
pub trait Split: ErrorType {
    /// The half that reads.
    type Reader<'a>: Read<Error = Self::Error> + ReadReady
    where
        Self: 'a;
    /// The half that writes.
    type Writer<'a>: Write<Error = Self::Error> + WriteReady + Shutdown
    where
        Self: 'a;

    /// Both halves, for as long as the flow is borrowed.
    fn split(&mut self) -> (Self::Reader<'_>, Self::Writer<'_>);
}

/// Everything a byte stream offers. Dropping it frees what it holds: written bytes are still delivered, and a peer
/// that sends more is told that nobody reads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a flow",
    note = "flows: `mirage_tcpip::TcpStream`, `mirage_stack_unix::TcpStream`, `mirage_flow::testing::Pipe`"
)]
pub trait Flow: Read + Write + ReadReady + WriteReady + Shutdown {}

impl<T: Read + Write + ReadReady + WriteReady + Shutdown + ?Sized> Flow for T {}

impl<T: Shutdown + ?Sized> Shutdown for &mut T {
    fn shutdown(&mut self, direction: Direction) -> impl Future<Output = Result<(), Self::Error>> {
        T::shutdown(self, direction)
    }
}
