//! A TCP connection in an application's hands.

use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::task::{Context, Poll};

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};
use mirage_flow::{Direction, Shutdown, Split};
use mirage_stack::Keepalive;

use crate::stack::Shared;
use crate::{ConnectionId, ErrorKind};

/// A TCP connection. Dropping it closes it: what was written is still delivered in the background, and a peer whose bytes nobody
/// will read is told so by a reset.
pub struct TcpStream<'a, 's>(Half<'a, 's>);

/// The half of a [`TcpStream`] that reads.
pub struct TcpReader<'a, 's>(Half<'a, 's>);

/// The half of a [`TcpStream`] that writes.
pub struct TcpWriter<'a, 's>(Half<'a, 's>);

/// What the stream and both its halves do in the same way.
#[derive(Clone, Copy)]
struct Half<'a, 's> {
    shared: &'a Shared<'s>,
    id: ConnectionId,
}

impl<'a, 's> TcpStream<'a, 's> {
    pub(crate) fn new(shared: &'a Shared<'s>, id: ConnectionId) -> Self {
        Self(Half { shared, id })
    }
}

impl Half<'_, '_> {
    #[inline(never)]
    fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
        self.shared.call(|host| host.poll_read(self.id, cx, buffer))
    }

    #[inline(never)]
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
        self.shared.call(|host| host.poll_write(self.id, cx, bytes))
    }

    /// Writes `rest`, and leaves of it what is still to be written.
    #[inline(never)]
    fn poll_write_all(&self, cx: &Context<'_>, rest: &mut &[u8]) -> Poll<Result<(), ErrorKind>> {
        while !rest.is_empty() {
            match self.poll_write(cx, rest) {
                Poll::Ready(Ok(written)) => *rest = rest.get(written..).unwrap_or_default(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream<'_, '_> {
    fn drop(&mut self) {
        self.0.shared.call(|host| host.close(self.0.id));
    }
}

/// Implements reading.
macro_rules! reads {
    ($name:ident) => {
        impl ErrorType for $name<'_, '_> {
            type Error = ErrorKind;
        }

        impl Read for $name<'_, '_> {
            /// Cancel-safe: bytes are taken only when the future is ready.
            fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = Result<usize, ErrorKind>> {
                let half = self.0;
                poll_fn(move |cx| half.poll_read(cx, buffer))
            }
        }

        impl ReadReady for $name<'_, '_> {
            fn read_ready(&mut self) -> Result<bool, ErrorKind> {
                Ok(self.0.shared.host().can_read(self.0.id))
            }
        }
    };
}

/// Implements writing.
macro_rules! writes {
    ($name:ident) => {
        impl Write for $name<'_, '_> {
            /// Cancel-safe: bytes are taken only when the future is ready.
            fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<usize, ErrorKind>> {
                let half = self.0;
                poll_fn(move |cx| half.poll_write(cx, bytes))
            }

            /// Not cancel-safe: a part may have been taken.
            fn write_all(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), ErrorKind>> {
                let (half, mut rest) = (self.0, bytes);
                poll_fn(move |cx| half.poll_write_all(cx, &mut rest))
            }

            /// Waits until everything written was handed to the network. Cancel-safe.
            fn flush(&mut self) -> impl Future<Output = Result<(), ErrorKind>> {
                let half = self.0;
                poll_fn(move |cx| half.shared.host().poll_flush(half.id, cx))
            }
        }

        impl WriteReady for $name<'_, '_> {
            fn write_ready(&mut self) -> Result<bool, ErrorKind> {
                Ok(self.0.shared.host().can_write(self.0.id))
            }
        }

        impl Shutdown for $name<'_, '_> {
            fn shutdown(&mut self, direction: Direction) -> impl Future<Output = Result<(), ErrorKind>> {
                let result = self.0.shared.call(|host| host.shutdown(self.0.id, direction));
                poll_fn(move |_| Poll::Ready(result))
            }
        }
    };
}

reads!(TcpStream);
writes!(TcpStream);
reads!(TcpReader);
writes!(TcpWriter);

impl ErrorType for TcpWriter<'_, '_> {
    type Error = ErrorKind;
}

impl<'a, 's> Split for TcpStream<'a, 's> {
    type Reader<'b>
        = TcpReader<'b, 's>
    where
        Self: 'b;
    type Writer<'b>
        = TcpWriter<'b, 's>
    where
        Self: 'b;

    fn split(&mut self) -> (TcpReader<'_, 's>, TcpWriter<'_, 's>) {
        (TcpReader(self.0), TcpWriter(self.0))
    }
}

impl mirage_stack::TcpStream for TcpStream<'_, '_> {
    fn local_addr(&self) -> SocketAddr {
        let (port, _) = self.0.shared.host().ends(self.0.id);
        self.0.shared.end(port)
    }

    fn remote_addr(&self) -> SocketAddr {
        self.0.shared.host().ends(self.0.id).1.into()
    }

    fn set_nodelay(&mut self, nodelay: bool) {
        self.0.shared.call(|host| host.set_nodelay(self.0.id, nodelay));
    }

    fn set_keepalive(&mut self, keepalive: Option<Keepalive>) {
        self.0.shared.call(|host| host.set_keepalive(self.0.id, keepalive));
    }

    fn abort(self) {
        self.0.shared.call(|host| host.abort(self.0.id));
    }
}
