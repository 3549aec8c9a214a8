//! Datagrams (RFC 768).

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll};

use managed::ManagedSlice;
use mirage_clock::Instant;
use mirage_net::{SendError, Transmit};
use mirage_stack::ErrorKind;
use mirage_waker::{WaitList, WakerPool};
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::lower::{Lower, Packet};
use crate::ring::Ring;
use crate::tcp::{FIRST_PORT, PORTS};
use crate::wire::{self, UDP};
use crate::{Count, Counters};

/// A datagram socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketId(u16);

/// Room for one datagram socket. `Socket::default()` is one that is free.
#[derive(Debug, Default)]
pub struct Socket {
    /// 0 while it is nobody's.
    port: u16,
    /// Whom alone it hears.
    peer: Option<SocketAddrV4>,
    /// What is wrong there, until it was said.
    error: Option<ErrorKind>,
    /// Each datagram with its length and its sender before it.
    inbox: Ring,
    readers: WaitList,
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its length; more than the buffer's when it was cut.
    pub len: usize,
    /// Who sent it.
    pub remote: SocketAddrV4,
}

/// What lies before each datagram: length, address, port.
const HEAD: usize = 8;

/// All sockets.
pub(crate) struct Sockets<'s> {
    pub(crate) sockets: ManagedSlice<'s, Socket>,
    pub(crate) buffers: ManagedSlice<'s, u8>,
    pub(crate) wakers: WakerPool<'s>,
    /// Those who wait for room in the device.
    pub(crate) senders: WaitList,
    pub(crate) next_port: u16,
}

impl Sockets<'_> {
    fn parts(&mut self, id: SocketId) -> Option<(&mut Socket, &mut [u8])> {
        let index = usize::from(id.0);
        let room = self.buffers.len() / self.sockets.len().max(1);
        let buffer = self.buffers.get_mut(index * room..)?.get_mut(..room)?;
        Some((self.sockets.get_mut(index)?, buffer))
    }

    /// Takes a port; one that is free if `port` is 0.
    pub(crate) fn bind(&mut self, port: u16) -> Result<SocketId, ErrorKind> {
        let taken = |port| self.sockets.iter().any(|socket| socket.port == port);
        let mut port = port;
        if port != 0 && taken(port) {
            return Err(ErrorKind::AddressInUse);
        }
        while port == 0 {
            self.next_port = (self.next_port + 1) % PORTS;
            let chosen = FIRST_PORT + self.next_port;
            port = if taken(chosen) { 0 } else { chosen };
        }
        let place = self.sockets.iter().position(|socket| socket.port == 0).ok_or(ErrorKind::OutOfResources)?;
        if let Some(socket) = self.sockets.get_mut(place) {
            *socket = Socket { port, ..Socket::default() };
        }
        Ok(SocketId(place as u16))
    }

    pub(crate) fn port(&self, id: SocketId) -> u16 {
        self.sockets.get(usize::from(id.0)).map_or(0, |socket| socket.port)
    }

    pub(crate) fn connect(&mut self, id: SocketId, peer: Option<SocketAddrV4>) {
        if let Some((socket, _)) = self.parts(id) {
            (socket.peer, socket.error) = (peer, None);
        }
    }

    pub(crate) fn close(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(usize::from(id.0)) else { return };
        socket.port = 0;
        self.wakers.wake(&mut socket.readers);
    }

    /// Takes a datagram whose checksum was verified if it has one; whether there is a socket for it.
    pub(crate) fn input(&mut self, source: Ipv4Addr, bytes: &[u8], counters: &mut Counters) -> bool {
        let taken_apart = wire::Udp::ref_from_prefix(bytes).ok().and_then(|(header, rest)| {
            Some((header, rest.get(..usize::from(header.len.get()).checked_sub(size_of::<wire::Udp>())?)?))
        });
        let Some((header, payload)) = taken_apart else {
            counters.add(Count::Udp);
            return true;
        };
        let port = header.destination.get();
        let place = self.sockets.iter().position(|socket| socket.port == port && port != 0);
        let remote = SocketAddrV4::new(source, header.source.get());
        let Some((socket, buffer)) = place.and_then(|place| self.parts(SocketId(place as u16))) else { return false };
        if socket.peer.is_some_and(|peer| peer != remote) {
            counters.add(Count::Udp);
            return true;
        }
        let len = payload.len() as u32;
        if socket.inbox.len + HEAD as u32 + len > buffer.len() as u32 {
            counters.add(Count::UdpFull);
            return true;
        }
        let mut head = [0; HEAD];
        head[..2].copy_from_slice(&(len as u16).to_be_bytes());
        head[2..6].copy_from_slice(&source.octets());
        head[6..].copy_from_slice(&remote.port().to_be_bytes());
        // A copy: the frame is the device's again after this.
        for piece in [&head[..], payload] {
            socket.inbox.put(buffer, socket.inbox.len, piece);
            socket.inbox.len += piece.len() as u32;
        }
        let mut readers = core::mem::take(&mut socket.readers);
        self.wakers.wake(&mut readers);
        true
    }

    /// Takes an error about a datagram of ours to `remote`, of which the first bytes are given; whether a socket hears it.
    pub(crate) fn fail(&mut self, quoted: &[u8; 8], remote: Ipv4Addr, error: ErrorKind) -> bool {
        let [port @ .., high, low, _, _, _, _] = *quoted;
        let (port, remote) = (u16::from_be_bytes(port), SocketAddrV4::new(remote, u16::from_be_bytes([high, low])));
        // Anybody can send an ICMP error, but to guess both ports of a connected socket is work (RFC 5927 §4.1). A socket that
        // talks to many must not stop for one of them.
        let concerned = |socket: &&mut Socket| socket.port == port && port != 0 && socket.peer == Some(remote);
        let Some(socket) = self.sockets.iter_mut().find(concerned) else { return false };
        socket.error = Some(error);
        self.wakers.wake(&mut socket.readers);
        true
    }

    pub(crate) fn poll_recv(
        &mut self,
        id: SocketId,
        cx: &Context<'_>,
        into: &mut [u8],
    ) -> Poll<Result<Received, ErrorKind>> {
        let Some((socket, buffer)) = self.parts(id) else { return Poll::Pending };
        if let Some(error) = socket.error.take() {
            return Poll::Ready(Err(error));
        }
        if socket.inbox.len == 0 {
            if let Some(socket) = self.sockets.get_mut(usize::from(id.0)) {
                self.wakers.register(&mut socket.readers, cx.waker());
            }
            return Poll::Pending;
        }
        let mut head = [0; HEAD];
        socket.inbox.take(buffer, &mut head);
        let [high, low, a, b, c, d, port @ ..] = head;
        let len = usize::from(u16::from_be_bytes([high, low]));
        let whole = into.len().min(len);
        let taken = socket.inbox.take(buffer, into.get_mut(..whole).unwrap_or_default());
        socket.inbox.forget((len - taken) as u32, buffer.len());
        Poll::Ready(Ok(Received { len, remote: SocketAddrV4::new([a, b, c, d].into(), u16::from_be_bytes(port)) }))
    }

    /// Sends a datagram. Pending while the device has no room.
    pub(crate) fn poll_send<T: Transmit>(
        &mut self,
        now: Instant,
        (id, cx): (SocketId, &Context<'_>),
        (lower, device): (&mut Lower<'_>, &mut T),
        payload: &[u8],
        remote: SocketAddrV4,
    ) -> Poll<Result<(), ErrorKind>> {
        let Some((socket, _)) = self.parts(id) else { return Poll::Ready(Err(ErrorKind::Closed)) };
        if let Some(error) = socket.error.take() {
            return Poll::Ready(Err(error));
        }
        let len = size_of::<wire::Udp>() + payload.len();
        if len + size_of::<wire::Ipv4>() > usize::from(lower.mtu) {
            return Poll::Ready(Err(ErrorKind::MessageTooLong));
        }
        let mut header = wire::Udp {
            source: socket.port.into(),
            destination: remote.port().into(),
            len: (len as u16).into(),
            checksum: 0.into(),
        };
        let (header, destination) = (header.as_mut_bytes(), *remote.ip());
        let packet = Packet { destination, protocol: UDP, header, checksum: 6, payload: [payload, &[]] };
        match lower.send(now, device, packet) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(SendError::Full) => {
                self.wakers.register(&mut self.senders, cx.waker());
                Poll::Pending
            }
            Err(_) => Poll::Ready(Err(ErrorKind::Other)),
        }
    }
}
