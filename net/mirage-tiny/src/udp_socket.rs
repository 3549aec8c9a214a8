//! A datagram socket in an application's hands.

use core::future::{Future, poll_fn};
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use mirage_net::Net;
use mirage_stack::{Datagram, ErrorType};

use crate::stack::version_4;
use crate::{ErrorKind, SocketId, Stack};

/// A datagram socket. Dropping it closes it.
pub struct UdpSocket<'a, 's, N: Net> {
    stack: &'a Stack<'s, N>,
    id: SocketId,
}

impl<'a, 's, N: Net> UdpSocket<'a, 's, N> {
    pub(crate) fn new(stack: &'a Stack<'s, N>, id: SocketId) -> Self {
        Self { stack, id }
    }

    #[inline(never)]
    fn poll_send(&self, cx: &Context<'_>, payload: &[u8], remote: SocketAddr) -> Poll<Result<(), ErrorKind>> {
        let remote = version_4(remote)?;
        self.stack.with_device(|host, device| {
            let sent = host.poll_send(self.id, cx, device, payload, remote);
            mirage_net::Transmit::flush(device);
            sent
        })
    }
}

impl<N: Net> ErrorType for UdpSocket<'_, '_, N> {
    type Error = ErrorKind;
}

impl<N: Net> mirage_stack::UdpSocket for UdpSocket<'_, '_, N> {
    fn recv_from(&self, buffer: &mut [u8]) -> impl Future<Output = Result<Datagram, ErrorKind>> {
        poll_fn(|cx| {
            let mut host = self.stack.shared.host();
            let local = SocketAddr::new(host.address().into(), host.socket_port(self.id));
            host.poll_recv(self.id, cx, buffer).map_ok(|received| Datagram {
                len: received.len,
                remote: received.remote.into(),
                local,
            })
        })
    }

    fn send_to(&self, payload: &[u8], remote: SocketAddr) -> impl Future<Output = Result<(), ErrorKind>> {
        poll_fn(move |cx| self.poll_send(cx, payload, remote))
    }

    fn connect(&self, remote: Option<SocketAddr>) -> Result<(), ErrorKind> {
        let remote = remote.map(version_4).transpose()?;
        self.stack.shared.host().connect_socket(self.id, remote);
        Ok(())
    }

    fn local_addr(&self) -> SocketAddr {
        let port = self.stack.shared.host().socket_port(self.id);
        self.stack.shared.end(port)
    }

    /// There are no groups: [`ErrorKind::Unsupported`] for each that is one.
    fn join_multicast(&self, group: IpAddr) -> Result<(), ErrorKind> {
        Err(if group.is_multicast() { ErrorKind::Unsupported } else { ErrorKind::AddressNotAvailable })
    }

    fn leave_multicast(&self, _: IpAddr) -> Result<(), ErrorKind> {
        Err(ErrorKind::AddressNotAvailable)
    }
}

impl<N: Net> Drop for UdpSocket<'_, '_, N> {
    fn drop(&mut self) {
        self.stack.shared.host().close_socket(self.id);
    }
}
