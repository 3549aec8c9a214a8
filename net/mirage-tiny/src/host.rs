//! The host: frames in, frames out, and the time.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll};

use mirage_checksum::{Sum, verify};
use mirage_clock::Instant;
use mirage_flow::Direction;
use mirage_net::{Frame, ReceivedChecksum, SendError, Transmit};
use mirage_protocols::Ipv4Cidr;
use mirage_secret::Secret;
use mirage_stack::{ErrorKind, Keepalive, ListenOptions, TcpOptions};
use mirage_waker::{WaitList, WakerPool};
use zerocopy::FromBytes as _;

use crate::connection::State;
use crate::input::LEAST_MSS;
use crate::lower::Lower;
use crate::tcp::{PORTS, Tcp};
use crate::udp::{Received, SocketId, Sockets};
use crate::wire::{ARP, Arp, Ethernet, ICMP, IPV4, Ipv4, TCP, UDP};
use crate::{ConnectionId, Count, Counters, ListenerId, Storage, icmp, output};

/// A host on one link: Ethernet, ARP, IPv4, ICMP, UDP and TCP. It does no I/O and knows no clock: each call is lent the device and told the time.
pub struct Host<'s> {
    pub(crate) lower: Lower<'s>,
    pub(crate) tcp: Tcp<'s>,
    pub(crate) sockets: Sockets<'s>,
    /// What is done with datagrams, once there is a socket: without one it is not linked.
    datagrams: Option<Datagrams<'s>>,
}

/// What is done with datagrams.
#[derive(Clone, Copy)]
pub(crate) struct Datagrams<'s> {
    /// Takes the datagram of a sender; whether there is a socket for it.
    take: fn(&mut Sockets<'s>, Ipv4Addr, &[u8], &mut Counters) -> bool,
    /// Takes an error about the beginning of a datagram to an address; whether there is a socket that hears it.
    pub(crate) fail: fn(&mut Sockets<'s>, &[u8; 8], Ipv4Addr, ErrorKind) -> bool,
}

impl<'s> Host<'s> {
    /// A host without an address on a link with the address `mac` and packets of up to `mtu` bytes.
    ///
    /// `secret` is drawn at boot: ports, sequence numbers and cookies follow from it.
    pub fn new(mac: [u8; 6], mtu: usize, storage: Storage<'s>, secret: [u8; 16]) -> Self {
        let Storage { connections, listeners, buffers, neighbours, waiting, sockets, datagrams, wakers, .. } = storage;
        let secret = Secret::new(secret);
        let next_port = secret.hash_words_twice([1; 3]).0 as u16 % PORTS;
        let mut lower = Lower::new(neighbours, waiting);
        lower.mac = mac;
        lower.mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        let tcp = Tcp::new(connections, listeners, buffers, WakerPool::new(wakers), secret);
        // Two segments find room in a buffer: peers acknowledge every second at once, and one only after a while.
        lower.mss = lower.mtu.saturating_sub(40).min(tcp.room as u16 / 2).max(LEAST_MSS);
        Self {
            lower,
            tcp,
            sockets: Sockets {
                sockets,
                buffers: datagrams,
                wakers: WakerPool::new(storage.socket_wakers),
                senders: WaitList::EMPTY,
                next_port,
            },
            datagrams: None,
        }
    }

    /// Takes its one address.
    pub fn set_address(&mut self, address: Ipv4Cidr) {
        self.lower.set_address(address);
    }

    /// Its address, or the unspecified one.
    pub fn address(&self) -> Ipv4Addr {
        self.lower.address
    }

    /// Sends everything for other networks to `gateway`.
    pub fn set_gateway(&mut self, gateway: Ipv4Addr) {
        self.lower.gateway = Some(gateway);
    }

    /// What was thrown away, and why.
    pub fn counters(&self) -> &Counters {
        &self.lower.counters
    }

    /// How many connections there are, those that begin and end counted.
    pub fn connections(&self) -> usize {
        self.tcp.slots.iter().filter(|slot| slot.state != State::Free).count()
    }

    /// Takes a frame, and answers at once what is answered without a connection.
    #[inline(never)]
    pub fn input<T: Transmit>(&mut self, now: Instant, frame: &Frame<'_>, device: &mut T) {
        let Ok((ethernet, payload)) = Ethernet::ref_from_prefix(frame.bytes) else {
            return self.lower.counters.add(Count::Frame);
        };
        // To all or to us; what is for a group is for others.
        let everybody = ethernet.destination == [0xff; 6];
        if !everybody && ethernet.destination != self.lower.mac {
            return self.lower.counters.add(Count::Frame);
        }
        match ethernet.kind.get() {
            IPV4 => self.packet_in(now, payload, frame.checksum, everybody, device),
            ARP => match Arp::ref_from_prefix(payload) {
                Ok((arp, _)) => self.lower.arp_in(now, device, arp),
                Err(_) => self.lower.counters.add(Count::Arp),
            },
            _ => self.lower.counters.add(Count::Frame),
        }
    }

    fn packet_in<T: Transmit>(
        &mut self,
        now: Instant,
        packet: &[u8],
        checksum: ReceivedChecksum,
        everybody: bool,
        device: &mut T,
    ) {
        let Self { lower, tcp, sockets, datagrams, .. } = self;
        let taken_apart = Ipv4::ref_from_prefix(packet).ok().and_then(|(ip, _)| {
            // Options are allowed, and nobody minds them.
            let header = usize::from(ip.version.checked_sub(0x40)?) * 4;
            let whole = packet.get(..usize::from(ip.len.get()))?;
            let (head, payload) = whole.split_at_checked(header)?;
            (head.len() >= size_of::<Ipv4>() && header <= 60 && verify(head)).then_some((ip, whole, payload))
        });
        let Some((ip, whole, payload)) = taken_apart else { return lower.counters.add(Count::Ipv4) };
        let (source, destination) = (Ipv4Addr::from_bits(ip.source.get()), Ipv4Addr::from_bits(ip.destination.get()));
        // RFC 1122 §3.2.1.3: nobody sends from such addresses.
        let sane = !source.is_multicast()
            && !source.is_unspecified()
            && !lower.is_broadcast(source)
            && source != lower.address;
        let ours = destination == lower.address;
        if !sane || !(ours || lower.is_broadcast(destination)) {
            return lower.counters.add(Count::Ipv4);
        }
        // More fragments, or not the first.
        if ip.fragment.get() & 0x3fff != 0 {
            return lower.counters.add(Count::Fragment);
        }
        // What came to everybody is answered by nobody (RFC 1122 §3.2.2, §4.2.3.10), datagrams are heard.
        let to_us = ours && !everybody;
        let right = || {
            let sum = Sum::ZERO.pseudo_header(source.into(), destination.into(), ip.protocol, payload.len() as u32);
            checksum != ReceivedChecksum::Unchecked || sum.add_bytes(payload).finish() == 0
        };
        match ip.protocol {
            TCP if to_us && right() => {
                if let Some(bare) = tcp.input(now, source, lower.mss, payload, &mut lower.counters) {
                    // Lost where the device has no room: the peer asks again.
                    let _lost = output::send(now, lower, device, &bare, [&[], &[]]);
                }
            }
            UDP if payload.get(6..8) == Some(&[0, 0]) || right() => {
                let taken =
                    datagrams.is_some_and(|datagrams| (datagrams.take)(sockets, source, payload, &mut lower.counters));
                if !taken {
                    lower.counters.add(Count::Udp);
                    if to_us {
                        icmp::port_unreachable(now, (lower, device), source, whole);
                    }
                }
            }
            ICMP if to_us => icmp::input(now, (lower, device), tcp, (sockets, *datagrams), source, payload),
            TCP => lower.counters.add(Count::Tcp),
            UDP => lower.counters.add(Count::Udp),
            _ => lower.counters.add(Count::Ipv4),
        }
    }

    /// Sends what waits, at most `budget` segments; whether there may be more.
    ///
    /// # Errors
    /// [`SendError::Full`] when the device has no room: again when it has. Others are the device's.
    #[inline(never)]
    pub fn poll_transmit<T: Transmit>(
        &mut self,
        now: Instant,
        device: &mut T,
        budget: usize,
    ) -> Result<bool, SendError> {
        self.sockets.wakers.wake(&mut self.sockets.senders);
        self.tcp.transmit(now, &mut self.lower, device, budget)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called; [`Instant::MAX`] for never. It may be too early.
    pub fn poll_timeout(&self) -> Instant {
        self.tcp.due
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tcp.handle_timeout(now);
    }

    /// Whether there is something to send.
    pub fn wants_transmit(&self) -> bool {
        self.tcp.first != crate::tcp::NONE
    }

    /// Listens on `port`; 0 for one that is free.
    ///
    /// # Errors
    /// [`ErrorKind::AddressInUse`], [`ErrorKind::OutOfResources`].
    pub fn listen(&mut self, port: u16, options: ListenOptions) -> Result<ListenerId, ErrorKind> {
        self.tcp.listen(port, options)
    }

    /// The port of a listener.
    pub fn listener_port(&self, id: ListenerId) -> u16 {
        self.tcp.doors.get(usize::from(id.0)).map_or(0, |door| door.port)
    }

    /// The established connection that has waited longest.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when there is no such listener.
    pub fn poll_accept(&mut self, id: ListenerId, cx: &Context<'_>) -> Poll<Result<ConnectionId, ErrorKind>> {
        self.tcp.poll_accept(id, cx)
    }

    /// Ends a listener; connections that wait are reset.
    pub fn close_listener(&mut self, id: ListenerId) {
        self.tcp.close_listener(id);
    }

    /// Begins to connect.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfResources`] when all connections are in use, [`ErrorKind::HostUnreachable`] when there is no way to
    /// `remote` or it is no single host.
    pub fn connect(&mut self, remote: SocketAddrV4, options: &TcpOptions) -> Result<ConnectionId, ErrorKind> {
        if !self.lower.reaches(*remote.ip()) {
            return Err(ErrorKind::HostUnreachable);
        }
        self.tcp.connect(remote, options)
    }

    /// Waits until a connection is established.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionRefused`], [`ErrorKind::TimedOut`], [`ErrorKind::HostUnreachable`].
    pub fn poll_connected(&mut self, id: ConnectionId, cx: &Context<'_>) -> Poll<Result<(), ErrorKind>> {
        self.tcp.poll_connected(id, cx)
    }

    /// Reads what is there into `into`; 0 at the end of the stream.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn poll_read(&mut self, id: ConnectionId, cx: &Context<'_>, into: &mut [u8]) -> Poll<Result<usize, ErrorKind>> {
        self.tcp.poll_read(id, cx, into)
    }

    /// Takes as much of `bytes` as fits, at least one byte.
    ///
    /// # Errors
    /// When the connection is broken, or its direction was ended.
    pub fn poll_write(&mut self, id: ConnectionId, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ErrorKind>> {
        self.tcp.poll_write(id, cx, bytes)
    }

    /// Waits until everything that was written was sent once.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn poll_flush(&mut self, id: ConnectionId, cx: &Context<'_>) -> Poll<Result<(), ErrorKind>> {
        self.tcp.poll_flush(id, cx)
    }

    /// Whether a read would not wait.
    pub fn can_read(&mut self, id: ConnectionId) -> bool {
        self.tcp.can_read(id)
    }

    /// Whether a write would not wait.
    pub fn can_write(&mut self, id: ConnectionId) -> bool {
        self.tcp.can_write(id)
    }

    /// Ends a direction. What was written is still delivered.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn shutdown(&mut self, id: ConnectionId, direction: Direction) -> Result<(), ErrorKind> {
        self.tcp.shutdown(id, direction)
    }

    /// Gives a connection back: what was written is still delivered, and a peer whose bytes nobody has read is told so by a
    /// reset.
    pub fn close(&mut self, id: ConnectionId) {
        self.tcp.close(id);
    }

    /// Breaks a connection off and gives it back.
    pub fn abort(&mut self, id: ConnectionId) {
        self.tcp.abort(id);
    }

    /// Sends small writes at once.
    pub fn set_nodelay(&mut self, id: ConnectionId, nodelay: bool) {
        self.tcp.set_nodelay(id, nodelay);
    }

    /// Probes an idle peer.
    pub fn set_keepalive(&mut self, id: ConnectionId, keepalive: Option<Keepalive>) {
        self.tcp.set_keepalive(id, keepalive);
    }

    /// The port here and the end there; zeroes of a connection that is gone.
    pub fn ends(&mut self, id: ConnectionId) -> (u16, SocketAddrV4) {
        self.tcp.ends(id)
    }

    /// A datagram socket on `port`; 0 for one that is free.
    ///
    /// # Errors
    /// [`ErrorKind::AddressInUse`], [`ErrorKind::OutOfResources`].
    pub fn bind(&mut self, port: u16) -> Result<SocketId, ErrorKind> {
        self.datagrams = Some(Datagrams { take: Sockets::input, fail: Sockets::fail });
        self.sockets.bind(port)
    }

    /// The oldest datagram.
    ///
    /// # Errors
    /// Once for each ICMP error about what a socket has sent to the peer that it alone hears:
    /// [`ErrorKind::ConnectionRefused`], [`ErrorKind::HostUnreachable`], [`ErrorKind::MessageTooLong`].
    pub fn poll_recv(&mut self, id: SocketId, cx: &Context<'_>, into: &mut [u8]) -> Poll<Result<Received, ErrorKind>> {
        self.sockets.poll_recv(id, cx, into)
    }

    /// Sends a datagram; pending while the device has no room.
    ///
    /// # Errors
    /// [`ErrorKind::MessageTooLong`], those of [`poll_recv`](Self::poll_recv), or when the device is gone.
    pub fn poll_send<T: Transmit>(
        &mut self,
        id: SocketId,
        cx: &Context<'_>,
        device: &mut T,
        payload: &[u8],
        remote: SocketAddrV4,
    ) -> Poll<Result<(), ErrorKind>> {
        let now = self.tcp.now;
        self.sockets.poll_send(now, (id, cx), (&mut self.lower, device), payload, remote)
    }

    /// Hears only `peer` from now on, and of errors about what is sent there; `None` undoes it.
    pub fn connect_socket(&mut self, id: SocketId, peer: Option<SocketAddrV4>) {
        self.sockets.connect(id, peer);
    }

    /// The port of a datagram socket.
    pub fn socket_port(&self, id: SocketId) -> u16 {
        self.sockets.port(id)
    }

    /// Gives a datagram socket back.
    pub fn close_socket(&mut self, id: SocketId) {
        self.sockets.close(id);
    }
}
