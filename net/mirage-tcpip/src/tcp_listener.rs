//! A door for connections.

use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::num::NonZeroU16;
use core::task::{Context, Poll};

use mirage_stack::ErrorType;
use mirage_tcp::{Frames, ListenerId, Profile, Standard};

use crate::sockets::Shared;
use crate::tcp_stream::{UNKNOWN, kind};
use crate::{ErrorKind, TcpStream};

/// A door for connections. Dropping it closes it; connections that wait behind it are reset.
pub struct TcpListener<'a, 's, P: Profile = Standard> {
    shared: &'a Shared<'s, P>,
    frames: &'a dyn Frames,
    id: ListenerId,
}

impl<'a, 's, P: Profile> TcpListener<'a, 's, P> {
    pub(crate) fn new(shared: &'a Shared<'s, P>, frames: &'a dyn Frames, id: ListenerId) -> Self {
        Self { shared, frames, id }
    }

    /// The oldest connection that waits. For callers that poll by hand.
    ///
    /// # Errors
    /// When the listener is closed.
    #[inline(never)]
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<TcpStream<'a, 's, P>, ErrorKind>> {
        let accepted = self.shared.tcp().poll_accept(self.id, cx);
        accepted.map(|result| result.map(|id| TcpStream::new(self.shared, self.frames, id)).map_err(kind))
    }
}

impl<P: Profile> ErrorType for TcpListener<'_, '_, P> {
    type Error = ErrorKind;
}

impl<'a, 's, P: Profile> mirage_stack::TcpListener for TcpListener<'a, 's, P> {
    type Stream = TcpStream<'a, 's, P>;

    fn accept(&mut self) -> impl Future<Output = Result<TcpStream<'a, 's, P>, ErrorKind>> {
        poll_fn(|cx| self.poll_accept(cx))
    }

    fn local_addr(&self) -> SocketAddr {
        let local = self.shared.tcp().listener_local(self.id);
        local.map_or(UNKNOWN, |local| {
            let address = local.address.unwrap_or(UNKNOWN.ip());
            SocketAddr::new(address, local.port.map_or(0, NonZeroU16::get))
        })
    }
}

impl<P: Profile> Drop for TcpListener<'_, '_, P> {
    fn drop(&mut self) {
        self.shared.tcp().close_listener(self.id);
        self.shared.wake();
    }
}
