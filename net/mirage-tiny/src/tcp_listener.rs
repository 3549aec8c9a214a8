//! A door for connections.

use core::future::{Future, poll_fn};
use core::net::SocketAddr;

use mirage_stack::ErrorType;

use crate::stack::Shared;
use crate::{ErrorKind, ListenerId, TcpStream};

/// A door for connections. Dropping it closes it; connections that wait behind it are reset.
pub struct TcpListener<'a, 's> {
    shared: &'a Shared<'s>,
    id: ListenerId,
}

impl<'a, 's> TcpListener<'a, 's> {
    pub(crate) fn new(shared: &'a Shared<'s>, id: ListenerId) -> Self {
        Self { shared, id }
    }
}

impl ErrorType for TcpListener<'_, '_> {
    type Error = ErrorKind;
}

impl<'a, 's> mirage_stack::TcpListener for TcpListener<'a, 's> {
    type Stream = TcpStream<'a, 's>;

    fn accept(&mut self) -> impl Future<Output = Result<TcpStream<'a, 's>, ErrorKind>> {
        poll_fn(|cx| {
            let accepted = self.shared.host().poll_accept(self.id, cx);
            accepted.map_ok(|id| TcpStream::new(self.shared, id))
        })
    }

    fn local_addr(&self) -> SocketAddr {
        let port = self.shared.host().listener_port(self.id);
        self.shared.end(port)
    }
}

impl Drop for TcpListener<'_, '_> {
    fn drop(&mut self) {
        self.shared.call(|host| host.close_listener(self.id));
    }
}
