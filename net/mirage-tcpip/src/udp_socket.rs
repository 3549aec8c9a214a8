//! A datagram socket in an application's hands.

use core::future::{Future, poll_fn};
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use mirage_ethernet::multicast_mac;
use mirage_net::Net;
use mirage_stack::{Datagram, ErrorType};
use mirage_tcp::{Profile, Standard};
use mirage_udp::{SocketId, Source};

use crate::machines::INTERFACE;
use crate::tcp_stream::UNKNOWN;
use crate::{ErrorKind, Stack};

/// A datagram socket. Dropping it closes it; what it was given to send is still sent.
pub struct UdpSocket<'a, 's, N, P: Profile = Standard> {
    stack: &'a Stack<'s, N, P>,
    id: SocketId,
}

impl<'a, 's, N: Net, P: Profile> UdpSocket<'a, 's, N, P> {
    pub(crate) fn new(stack: &'a Stack<'s, N, P>, id: SocketId) -> Self {
        Self { stack, id }
    }

    /// The oldest datagram. For callers that poll by hand.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionRefused`] once for each ICMP error about a datagram of a connected socket.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<Datagram, ErrorKind>> {
        self.stack.shared.undisturbed().udp.poll_recv(self.id, cx, buffer).map_err(kind)
    }

    /// Sends a datagram, or queues it where the device has no room. The next poll of the stack flushes the device. For
    /// callers that poll by hand.
    ///
    /// # Errors
    /// [`ErrorKind::MessageTooLong`], [`ErrorKind::HostUnreachable`], [`ErrorKind::ConnectionRefused`].
    pub fn poll_send(
        &self,
        cx: &mut Context<'_>,
        source: Option<SocketAddr>,
        payload: &[u8],
        remote: SocketAddr,
    ) -> Poll<Result<(), ErrorKind>> {
        if P::STRAIGHT && source.is_none() && self.stack.send_datagram_again(self.id, payload, remote) {
            return Poll::Ready(Ok(()));
        }
        let source = source.map_or(Source::Own, Source::End);
        self.stack.send_datagram(self.id, cx, source, payload, remote).map_err(kind)
    }

    /// Sends in the name of another address: what a gateway does. Otherwise as
    /// [`send_to`](mirage_stack::UdpSocket::send_to).
    ///
    /// # Errors
    /// Those of `send_to`.
    pub async fn send_from(&self, source: SocketAddr, payload: &[u8], remote: SocketAddr) -> Result<(), ErrorKind> {
        poll_fn(|cx| self.poll_send(cx, Some(source), payload, remote)).await
    }
}

fn kind(error: mirage_udp::Error) -> ErrorKind {
    mirage_stack::Error::kind(&error)
}

impl<N, P: Profile> ErrorType for UdpSocket<'_, '_, N, P> {
    type Error = ErrorKind;
}

impl<N: Net, P: Profile> mirage_stack::UdpSocket for UdpSocket<'_, '_, N, P> {
    fn recv_from(&self, buffer: &mut [u8]) -> impl Future<Output = Result<Datagram, ErrorKind>> {
        poll_fn(|cx| self.poll_recv(cx, buffer))
    }

    fn send_to(&self, payload: &[u8], remote: SocketAddr) -> impl Future<Output = Result<(), ErrorKind>> {
        poll_fn(move |cx| self.poll_send(cx, None, payload, remote))
    }

    fn connect(&self, remote: Option<SocketAddr>) -> Result<(), ErrorKind> {
        self.stack.shared.machines().udp.connect(self.id, remote).map_err(kind)
    }

    fn local_addr(&self) -> SocketAddr {
        self.stack.shared.machines().udp.local(self.id).unwrap_or(UNKNOWN)
    }

    fn join_multicast(&self, group: IpAddr) -> Result<(), ErrorKind> {
        let IpAddr::V4(group) = group else { return Err(ErrorKind::Unsupported) };
        if !group.is_multicast() {
            return Err(ErrorKind::AddressNotAvailable);
        }
        let mut shared = self.stack.shared.machines();
        let machines = &mut *shared;
        let full = ErrorKind::OutOfResources;
        machines.igmp.join(group).map_err(|_| full)?;
        let joined = machines.ipv4.join(INTERFACE, group).map_err(|_| full);
        let joined = joined.and_then(|()| machines.ethernet.join(multicast_mac(group)).map_err(|_| full));
        if joined.is_err() {
            machines.ipv4.leave(INTERFACE, group);
            let _gone = machines.igmp.leave(group);
        }
        drop(shared);
        self.stack.shared.wake();
        joined
    }

    fn leave_multicast(&self, group: IpAddr) -> Result<(), ErrorKind> {
        let IpAddr::V4(group) = group else { return Err(ErrorKind::Unsupported) };
        let mut shared = self.stack.shared.machines();
        let machines = &mut *shared;
        if !machines.igmp.is_member(group) {
            return Err(ErrorKind::AddressNotAvailable);
        }
        let _gone = machines.igmp.leave(group);
        machines.ethernet.leave(multicast_mac(group));
        if !machines.igmp.is_member(group) {
            machines.ipv4.leave(INTERFACE, group);
        }
        drop(shared);
        self.stack.shared.wake();
        Ok(())
    }
}

impl<N, P: Profile> Drop for UdpSocket<'_, '_, N, P> {
    fn drop(&mut self) {
        self.stack.shared.machines().udp.close(self.id).ok();
        self.stack.shared.wake();
    }
}
