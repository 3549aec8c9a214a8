//! A TCP connection in an application's hands.

use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};

use embedded_io_async::{ErrorType, Read, ReadReady, Write, WriteReady};
use mirage_flow::{Direction, Shutdown, Split};
use mirage_stack::Keepalive;
use mirage_tcp::ConnectionId;

use crate::ErrorKind;
use crate::sockets::Shared;

/// A TCP connection. Dropping it closes it: what was written is still delivered in the background, and a peer whose
/// bytes nobody will read is told so by a reset.
pub struct TcpStream<'a, 's> {
    half: Half<'a, 's>,
}

/// The half of a [`TcpStream`] that reads.
pub struct TcpReader<'a, 's> {
    half: Half<'a, 's>,
}

/// The half of a [`TcpStream`] that writes.
pub struct TcpWriter<'a, 's> {
    half: Half<'a, 's>,
}

/// What the stream and both its halves do in the same way.
#[derive(Clone, Copy)]
struct Half<'a, 's> {
    shared: &'a Shared<'s>,
    id: ConnectionId,
}

impl<'a, 's> TcpStream<'a, 's> {
    pub(crate) fn new(shared: &'a Shared<'s>, id: ConnectionId) -> Self {
        Self { half: Half { shared, id } }
    }

    /// Waits until the connection is established.
    pub(crate) async fn connected(&mut self) -> Result<(), ErrorKind> {
        let Half { shared, id } = self.half;
        poll_fn(|cx| shared.machines.borrow_mut().tcp.poll_connected(id, cx)).await.map_err(kind)
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

    /// Lends the oldest received bytes in place; `take` says how many it has used. An empty slice is the end.
    ///
    /// Cancel-safe: nothing is consumed before `take` runs.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn read_with<R>(&mut self, take: impl FnOnce(&[u8]) -> (usize, R)) -> Result<R, ErrorKind> {
        let Half { shared, id } = self.half;
        let mut take = Some(take);
        let result = poll_fn(|cx| {
            let machines = &mut *shared.machines.borrow_mut();
            machines.tcp.poll_read_with(id, cx, |bytes| match take.take() {
                Some(take) => {
                    let (used, result) = take(bytes);
                    (used, Some(result))
                }
                None => (0, None),
            })
        })
        .await;
        self.half.after_call();
        result.map_err(kind)?.ok_or(ErrorKind::Other)
    }
}

impl Half<'_, '_> {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
        let result = self.shared.machines.borrow_mut().tcp.poll_read(self.id, cx, buffer);
        self.after_call();
        result.map_err(kind)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
        let result = self.shared.machines.borrow_mut().tcp.poll_write(self.id, cx, bytes);
        self.after_call();
        result.map_err(kind)
    }

    async fn flush(&self) -> Result<(), ErrorKind> {
        poll_fn(|cx| self.shared.machines.borrow_mut().tcp.poll_flush(self.id, cx)).await.map_err(kind)
    }

    fn shutdown(&self, direction: Direction) -> Result<(), ErrorKind> {
        let result = self.shared.machines.borrow_mut().tcp.shutdown(self.id, direction);
        self.after_call();
        result.map_err(kind)
    }

    /// Has the stack polled when the call left something to send.
    fn after_call(&self) {
        if self.shared.machines.borrow().tcp.wants_transmit() {
            self.shared.wake();
        }
    }
}

pub(crate) const fn kind(error: mirage_tcp::Error) -> ErrorKind {
    error.kind()
}

impl Drop for TcpStream<'_, '_> {
    fn drop(&mut self) {
        self.half.shared.machines.borrow_mut().tcp.close(self.half.id);
        self.half.shared.wake();
    }
}

/// Implements reading for something that has a `half`.
macro_rules! reads {
    ($name:ident) => {
        impl ErrorType for $name<'_, '_> {
            type Error = ErrorKind;
        }

        impl Read for $name<'_, '_> {
            /// Cancel-safe: bytes are taken only when the future is ready.
            async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
                let half = self.half;
                poll_fn(|cx| half.poll_read(cx, buffer)).await
            }
        }

        impl ReadReady for $name<'_, '_> {
            fn read_ready(&mut self) -> Result<bool, ErrorKind> {
                Ok(self.half.shared.machines.borrow().tcp.can_read(self.half.id))
            }
        }
    };
}

/// Implements writing for something that has a `half`.
macro_rules! writes {
    ($name:ident) => {
        impl Write for $name<'_, '_> {
            /// Cancel-safe: bytes are taken only when the future is ready.
            async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
                let half = self.half;
                poll_fn(|cx| half.poll_write(cx, bytes)).await
            }

            /// Waits until everything written was handed to the network. Cancel-safe.
            async fn flush(&mut self) -> Result<(), ErrorKind> {
                let half = self.half;
                half.flush().await
            }
        }

        impl WriteReady for $name<'_, '_> {
            fn write_ready(&mut self) -> Result<bool, ErrorKind> {
                Ok(self.half.shared.machines.borrow().tcp.can_write(self.half.id))
            }
        }

        impl Shutdown for $name<'_, '_> {
            async fn shutdown(&mut self, direction: Direction) -> Result<(), ErrorKind> {
                self.half.shutdown(direction)
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
        (TcpReader { half: self.half }, TcpWriter { half: self.half })
    }
}

impl mirage_stack::TcpStream for TcpStream<'_, '_> {
    fn local_addr(&self) -> SocketAddr {
        self.half.shared.machines.borrow().tcp.local(self.half.id).unwrap_or(UNKNOWN)
    }

    fn remote_addr(&self) -> SocketAddr {
        self.half.shared.machines.borrow().tcp.remote(self.half.id).unwrap_or(UNKNOWN)
    }

    fn set_nodelay(&mut self, nodelay: bool) {
        self.half.shared.machines.borrow_mut().tcp.set_nodelay(self.half.id, nodelay);
        self.half.after_call();
    }

    fn set_keepalive(&mut self, keepalive: Option<Keepalive>) {
        self.half.shared.machines.borrow_mut().tcp.set_keepalive(self.half.id, keepalive);
        self.half.shared.wake();
    }

    fn abort(self) {
        self.half.shared.machines.borrow_mut().tcp.abort(self.half.id);
    }
}

/// What a connection that is gone says of its ends.
pub(crate) const UNKNOWN: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0);
