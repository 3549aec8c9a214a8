//! A TCP connection in an application's hands.

use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::task::{Context, Poll};

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};
use mirage_flow::{Direction, Shutdown, Split};
use mirage_net::FrameWriter;
use mirage_stack::Keepalive;
use mirage_tcp::{ConnectionId, Frames, Profile, Standard, Tcp};

use crate::ErrorKind;
use crate::sockets::{Shared, wake};

/// A TCP connection. Dropping it closes it: what was written is still delivered in the background, and a peer whose
/// bytes nobody will read is told so by a reset.
pub struct TcpStream<'a, 's, P: Profile = Standard> {
    half: Half<'a, 's, P>,
}

/// The half of a [`TcpStream`] that reads.
pub struct TcpReader<'a, 's, P: Profile = Standard> {
    half: Half<'a, 's, P>,
}

/// The half of a [`TcpStream`] that writes.
pub struct TcpWriter<'a, 's, P: Profile = Standard> {
    half: Half<'a, 's, P>,
}

/// What the stream and both its halves do in the same way.
#[derive(Clone, Copy)]
struct Half<'a, 's, P: Profile> {
    shared: &'a Shared<'s, P>,
    /// Where bytes may lie that were not read yet.
    frames: &'a dyn Frames,
    id: ConnectionId,
}

impl<'a, 's, P: Profile> TcpStream<'a, 's, P> {
    pub(crate) fn new(shared: &'a Shared<'s, P>, frames: &'a dyn Frames, id: ConnectionId) -> Self {
        Self { half: Half { shared, frames, id } }
    }

    /// Waits until the connection is established.
    pub(crate) fn connected(&mut self) -> impl Future<Output = Result<(), ErrorKind>> {
        let Half { shared, id, .. } = self.half;
        poll_fn(move |cx| shared.tcp().poll_connected(id, cx).map_err(kind))
    }

    /// Reads what is there into `buffer`; 0 at the end of the stream. For callers that poll by hand.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
        self.half.poll_read(cx, buffer)
    }

    /// Takes as much of `bytes` as fits, at least one byte. For callers that poll by hand.
    ///
    /// # Errors
    /// When the connection is broken or its write direction was shut down.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
        self.half.poll_write(cx, bytes)
    }

    /// Writes in place: `write` puts bytes into the send buffer itself, as many as its writer has room for at most (at least
    /// one). Gives how many it wrote, and what it gave. For callers that poll by hand.
    ///
    /// # Errors
    /// When the connection is broken or its write direction was shut down; `write` was not called then.
    #[inline]
    pub fn poll_write_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut FrameWriter<'_>) -> R,
    ) -> Poll<Result<(usize, R), ErrorKind>> {
        let id = self.half.id;
        self.half.call(|tcp| tcp.poll_write_with(id, cx, write)).map_err(kind)
    }

    /// Lends the oldest received bytes in place as [`read_with`](Self::read_with) does. For callers that poll by hand.
    ///
    /// # Errors
    /// When the connection is broken; `take` was not called then.
    #[inline]
    pub fn poll_read_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Poll<Result<R, ErrorKind>> {
        let Half { frames, id, .. } = self.half;
        self.half.call(|tcp| tcp.poll_read_with_kept(id, cx, frames, take)).map_err(kind)
    }

    /// Writes up to `most` bytes in place: `write` is called for one piece of the send buffer after the other, and the first
    /// that it does not fill is the last. Gives how many bytes that were. For callers that poll by hand.
    ///
    /// # Errors
    /// When the connection is broken or its write direction was shut down; `write` was not called then.
    #[inline]
    pub fn poll_write_each(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        write: impl FnMut(&mut FrameWriter<'_>),
    ) -> Poll<Result<usize, ErrorKind>> {
        let id = self.half.id;
        self.half.call(|tcp| tcp.poll_write_each(id, cx, most, write)).map_err(kind)
    }

    /// Lends whatever has come in place: `take` sees one piece after the other and says how many of its bytes it used; what it
    /// leaves of a piece is the last it sees. Gives how many bytes that were; 0 is the end, or that none were used. For
    /// callers that poll by hand.
    ///
    /// # Errors
    /// When the connection is broken; `take` was not called then.
    #[inline]
    pub fn poll_read_each(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnMut(&[u8]) -> usize,
    ) -> Poll<Result<usize, ErrorKind>> {
        let Half { frames, id, .. } = self.half;
        self.half.call(|tcp| tcp.poll_read_each_kept(id, cx, frames, take)).map_err(kind)
    }

    /// Waits until there is room and writes in place as [`poll_write_with`](Self::poll_write_with) does.
    ///
    /// Cancel-safe: nothing is queued before `write` runs.
    ///
    /// # Errors
    /// When the connection is broken or its write direction was shut down.
    pub async fn write_with<R>(
        &mut self,
        write: impl FnOnce(&mut FrameWriter<'_>) -> R,
    ) -> Result<(usize, R), ErrorKind> {
        let mut write = Some(write);
        let (count, result) = poll_fn(|cx| {
            self.half
                .call(|tcp| tcp.poll_write_with(self.half.id, cx, |writer| write.take().map(|write| write(writer))))
        })
        .await
        .map_err(kind)?;
        Ok((count, result.ok_or(ErrorKind::Other)?))
    }

    /// Lends the oldest received bytes in place; `take` says how many it has used. An empty slice is the end.
    ///
    /// Cancel-safe: nothing is consumed before `take` runs.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn read_with<R>(&mut self, take: impl FnOnce(&[u8]) -> (usize, R)) -> Result<R, ErrorKind> {
        let mut take = Some(take);
        let result = poll_fn(|cx| {
            self.half.call(|tcp| {
                tcp.poll_read_with_kept(self.half.id, cx, self.half.frames, |bytes| match take.take() {
                    Some(take) => {
                        let (used, result) = take(bytes);
                        (used, Some(result))
                    }
                    None => (0, None),
                })
            })
        })
        .await;
        result.map_err(kind)?.ok_or(ErrorKind::Other)
    }
}

impl<P: Profile> Half<'_, '_, P> {
    #[inline(never)]
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
        self.call(|tcp| tcp.poll_read_kept(self.id, cx, self.frames, buffer)).map_err(kind)
    }

    #[inline(never)]
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
        self.call(|tcp| tcp.poll_write(self.id, cx, bytes)).map_err(kind)
    }

    /// Writes `rest`, and leaves of it what is still to be written.
    #[inline(never)]
    fn poll_write_all(&self, cx: &mut Context<'_>, rest: &mut &[u8]) -> Poll<Result<(), ErrorKind>> {
        while !rest.is_empty() {
            match self.poll_write(cx, rest) {
                Poll::Ready(Ok(written)) => *rest = rest.get(written..).unwrap_or_default(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    #[inline(never)]
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), ErrorKind>> {
        self.shared.tcp().poll_flush(self.id, cx).map_err(kind)
    }

    fn shutdown(&self, direction: Direction) -> Result<(), ErrorKind> {
        self.call(|tcp| tcp.shutdown(self.id, direction)).map_err(kind)
    }

    /// Has TCP do something, and the stack polled when that left something to send.
    fn call<R>(&self, ask: impl FnOnce(&mut Tcp<'_, P>) -> R) -> R {
        let mut machines = self.shared.undisturbed();
        let result = ask(&mut machines.tcp);
        let driver = if machines.tcp.wants_transmit() { machines.driver.take() } else { None };
        drop(machines);
        wake(driver);
        result
    }
}

pub(crate) const fn kind(error: mirage_tcp::Error) -> ErrorKind {
    error.kind()
}

fn close<P: Profile>(half: Half<'_, '_, P>) {
    half.shared.tcp().close(half.id);
    half.shared.wake();
}

impl<P: Profile> Drop for TcpStream<'_, '_, P> {
    fn drop(&mut self) {
        close(self.half);
    }
}

/// Implements reading for something that has a `half`.
macro_rules! reads {
    ($name:ident) => {
        impl<P: Profile> ErrorType for $name<'_, '_, P> {
            type Error = ErrorKind;
        }

        impl<P: Profile> Read for $name<'_, '_, P> {
            /// Cancel-safe: bytes are taken only when the future is ready.
            fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = Result<usize, ErrorKind>> {
                let half = self.half;
                poll_fn(move |cx| half.poll_read(cx, buffer))
            }
        }

        impl<P: Profile> ReadReady for $name<'_, '_, P> {
            fn read_ready(&mut self) -> Result<bool, ErrorKind> {
                Ok(self.half.shared.tcp().can_read(self.half.id))
            }
        }
    };
}

/// Implements writing for something that has a `half`.
macro_rules! writes {
    ($name:ident) => {
        impl<P: Profile> Write for $name<'_, '_, P> {
            /// Cancel-safe: bytes are taken only when the future is ready.
            fn write(&mut self, bytes: &[u8]) -> impl Future<Output = Result<usize, ErrorKind>> {
                let half = self.half;
                poll_fn(move |cx| half.poll_write(cx, bytes))
            }

            /// Not cancel-safe: a part may have been taken.
            fn write_all(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), ErrorKind>> {
                let (half, mut rest) = (self.half, bytes);
                poll_fn(move |cx| half.poll_write_all(cx, &mut rest))
            }

            /// Waits until everything written was handed to the network. Cancel-safe.
            fn flush(&mut self) -> impl Future<Output = Result<(), ErrorKind>> {
                let half = self.half;
                poll_fn(move |cx| half.poll_flush(cx))
            }
        }

        impl<P: Profile> WriteReady for $name<'_, '_, P> {
            fn write_ready(&mut self) -> Result<bool, ErrorKind> {
                Ok(self.half.shared.tcp().can_write(self.half.id))
            }
        }

        impl<P: Profile> Shutdown for $name<'_, '_, P> {
            fn shutdown(&mut self, direction: Direction) -> impl Future<Output = Result<(), ErrorKind>> {
                let result = self.half.shutdown(direction);
                poll_fn(move |_| Poll::Ready(result))
            }
        }
    };
}

reads!(TcpStream);
writes!(TcpStream);
reads!(TcpReader);
writes!(TcpWriter);

impl<P: Profile> ErrorType for TcpWriter<'_, '_, P> {
    type Error = ErrorKind;
}

impl<'a, 's, P: Profile> Split for TcpStream<'a, 's, P> {
    type Reader<'b>
        = TcpReader<'b, 's, P>
    where
        Self: 'b;
    type Writer<'b>
        = TcpWriter<'b, 's, P>
    where
        Self: 'b;

    fn split(&mut self) -> (TcpReader<'_, 's, P>, TcpWriter<'_, 's, P>) {
        (TcpReader { half: self.half }, TcpWriter { half: self.half })
    }
}

impl<P: Profile> mirage_stack::TcpStream for TcpStream<'_, '_, P> {
    fn local_addr(&self) -> SocketAddr {
        self.half.shared.tcp().local(self.half.id).unwrap_or(UNKNOWN)
    }

    fn remote_addr(&self) -> SocketAddr {
        self.half.shared.tcp().remote(self.half.id).unwrap_or(UNKNOWN)
    }

    fn set_nodelay(&mut self, nodelay: bool) {
        self.half.call(|tcp| tcp.set_nodelay(self.half.id, nodelay));
    }

    fn set_keepalive(&mut self, keepalive: Option<Keepalive>) {
        self.half.shared.tcp().set_keepalive(self.half.id, keepalive);
        self.half.shared.wake();
    }

    fn abort(self) {
        self.half.shared.tcp().abort(self.half.id);
    }
}

/// What a connection that is gone says of its ends.
pub(crate) const UNKNOWN: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0);
