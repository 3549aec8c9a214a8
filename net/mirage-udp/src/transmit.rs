//! Datagrams on their way down.

use core::hint::cold_path;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::{ChecksumOffload, FrameWriter, PartialChecksum, SendError};
use mirage_protocols::{Ip, Packet, Protocol};
use mirage_waker::WakerPool;
use zerocopy::IntoBytes;
use zerocopy::byteorder::network_endian::U16;

use crate::address::{End, Ends};
use crate::pool::{Pool, Queue, Refused};
use crate::table::Socket;
use crate::wire::{Header, LONGEST};
use crate::{Address, Error, SocketId, Udp};

/// Where a datagram claims to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The socket's address and port; the route chooses where the socket has every address.
    Own,
    /// This address of ours, from the socket's port: to answer from where a datagram went.
    Address(IpAddr),
    /// This address and port; for a socket that has every port.
    End(SocketAddr),
}

impl<A: Address> Udp<'_, A> {
    /// Queues a datagram whole: one copy. [`poll_transmit`](Self::poll_transmit) sends it.
    ///
    /// Pending while the socket's own queue or the pool is full: `cx`'s waker is then woken when there is room. A remote
    /// that does not answer blocks nobody: what is for it is dropped when its turn comes.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`], [`Error::AddressNotAvailable`], [`Error::Unsupported`], [`Error::Closed`]; and once for
    /// each error about what a connected socket sent before, [`Error::Refused`] or [`Error::HostUnreachable`].
    pub fn poll_send(
        &mut self,
        id: SocketId,
        cx: &mut Context<'_>,
        payload: &[u8],
        source: Source,
        remote: SocketAddr,
    ) -> Poll<Result<(), Error>> {
        match self.ends(id, payload.len(), &source, &remote) {
            Ok(ends) => self.enqueue(id, cx, ends, payload),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// As [`poll_send`](Self::poll_send), but a datagram before which nothing waits goes straight to `ip`: it is copied once,
    /// into the device's own buffer, and summed in the same pass. It is queued where the device has no room, or without `ip`.
    ///
    /// # Errors
    /// Those of [`poll_send`](Self::poll_send). What `ip` refuses for good counts as sent in vain, as it does for
    /// [`poll_transmit`](Self::poll_transmit).
    #[expect(clippy::too_many_arguments, reason = "one send has no fewer parts")]
    #[inline]
    pub fn poll_send_over(
        &mut self,
        _now: Instant,
        id: SocketId,
        cx: &mut Context<'_>,
        payload: &[u8],
        source: Source,
        remote: SocketAddr,
        ip: Option<&mut impl Ip>,
    ) -> Poll<Result<(), Error>> {
        let ends = match self.ends(id, payload.len(), &source, &remote) {
            Ok(ends) => ends,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let Some(ip) = ip.filter(|_| !self.wants_transmit()) else { return self.enqueue(id, cx, ends, payload) };
        match send(ip, ends, payload.len(), &mut Body::<A>::Bytes(payload)) {
            Ok(()) => self.stats.sent += 1,
            Err(SendError::Full | SendError::Disconnected) => return self.enqueue(id, cx, ends, payload),
            Err(error) => self.on_unsent(id, ends.remote, error),
        }
        Poll::Ready(Ok(()))
    }

    /// Sends a datagram from the [socket's own](Source::Own) end as [`poll_send_over`](Self::poll_send_over) does if there is
    /// nothing in its way: no error to tell, nothing that waits before it, and an `ip` that [sends again](Ip::send_again).
    /// Otherwise nothing was done, and `false` says so.
    #[inline(always)]
    pub fn send_again(&mut self, id: SocketId, payload: &[u8], remote: SocketAddr, ip: &mut impl Ip) -> bool {
        let free = !self.wants_transmit() && payload.len() < self.send_below;
        let (Some(socket), Some(remote)) = (self.table.peek(id), End::<A>::from_socket(&remote)) else {
            cold_path();
            return false;
        };
        let ends = Ends { local: socket.own(), remote };
        let is_usual = free && socket.error.is_none() && are_usable(&ends) && !are_mixed(&ends);
        if !is_usual {
            cold_path();
            return false;
        }
        let Some(source) = source(ip, ends) else {
            cold_path();
            return false;
        };
        let beginning = Beginning::new(ip, source, ends, payload.len());
        let packet = beginning.packet(source, remote.address.ip(), payload.len());
        let Beginning { header, sum, offloaded } = beginning;
        let sent = ip.send_again(&packet, &mut |out: &mut FrameWriter<'_>| {
            out.put_headed(payload, |of_payload| {
                let checksum = if offloaded { header.checksum } else { U16::new(sum.add_sum(of_payload).finish_udp()) };
                Header { checksum, ..header }.bytes()
            });
        });
        match sent {
            None => {
                cold_path();
                return false;
            }
            Some(Ok(())) => self.stats.sent += 1,
            Some(Err(error)) => self.on_unsent(id, ends.remote, error),
        }
        true
    }

    /// What a socket sent to `remote` just now cannot go there.
    #[cold]
    fn on_unsent(&mut self, id: SocketId, remote: End<A>, error: SendError) {
        self.stats.unsent += 1;
        if let Ok(socket) = self.table.named(id) {
            on_refused(socket, remote, error, &mut self.wakers);
        }
    }

    /// Both ends of a datagram of `len` bytes, if the socket may send it.
    #[inline]
    fn ends(&mut self, id: SocketId, len: usize, source: &Source, remote: &SocketAddr) -> Result<Ends<A>, Error> {
        let socket = self.table.named(id)?;
        if let Some(error) = socket.error {
            socket.error = None;
            return Err(error);
        }
        let ends = ends(socket, source, remote)?;
        if len >= self.send_below {
            return Err(Error::MessageTooLong);
        }
        Ok(ends)
    }

    #[inline(never)]
    fn enqueue(
        &mut self,
        id: SocketId,
        cx: &mut Context<'_>,
        ends: Ends<A>,
        payload: &[u8],
    ) -> Poll<Result<(), Error>> {
        let socket = match self.table.named(id) {
            Ok(socket) => socket,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let list = match self.pool.push(&mut socket.outgoing, &self.config.send, ends, payload, None) {
            Ok(()) => {
                self.table.make_ready(id.index);
                return Poll::Ready(Ok(()));
            }
            Err(Refused::Queue) => &mut socket.writers,
            Err(Refused::Pool | Refused::Checksum) => &mut self.room,
        };
        self.wakers.register(list, cx.waker());
        Poll::Pending
    }

    /// Sends a datagram at once, without a copy: `fill` writes its `len` bytes into the device's own buffer. It overtakes
    /// what is queued.
    ///
    /// # Errors
    /// [`Error::Busy`] when the device has no buffer free (`fill` was not called); [`Error::MessageTooLong`], also when
    /// `fill` wrote another number of bytes; [`Error::HostUnreachable`], [`Error::AddressNotAvailable`],
    /// [`Error::Unsupported`], [`Error::Closed`].
    #[expect(clippy::too_many_arguments, reason = "one send has no fewer parts")]
    pub fn send_now(
        &mut self,
        _now: Instant,
        id: SocketId,
        source: Source,
        remote: SocketAddr,
        len: usize,
        ip: &mut impl Ip,
        mut fill: impl FnMut(&mut FrameWriter<'_>),
    ) -> Result<(), Error> {
        let socket = self.table.named(id)?;
        let ends = ends(socket, &source, &remote)?;
        if len > LONGEST {
            return Err(Error::MessageTooLong);
        }
        let mut whole = true;
        let mut fill = |out: &mut FrameWriter<'_>| {
            let before = out.len();
            fill(out);
            if out.len() != before + len {
                whole = false;
                // As long as was announced to the layers below, and then a patch from nowhere: the device refuses it.
                out.put_zeroes((before + len).saturating_sub(out.len()));
                out.patch(usize::MAX, &[0]);
            }
            Sum::of(out.written().get(before..).unwrap_or_default())
        };
        match send(ip, ends, len, &mut Body::<A>::Filled(&mut fill)) {
            Ok(()) if whole => {
                self.stats.sent += 1;
                Ok(())
            }
            Ok(()) => Err(Error::MessageTooLong),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has something to do.
    #[inline]
    pub fn wants_transmit(&self) -> bool {
        self.table.first_ready().is_some()
    }

    /// Sends up to `budget` queued datagrams, one of each socket in turn. Says whether more are queued.
    ///
    /// A datagram that cannot go, now or ever (no route, a neighbour that does not answer, too long), is dropped and counted;
    /// a socket connected to its destination says so to its owner.
    ///
    /// # Errors
    /// - [`SendError::Full`]: the device has no buffer free; the datagram goes first next time.
    /// - [`SendError::Disconnected`]: the device is gone.
    pub fn poll_transmit(&mut self, _now: Instant, ip: &mut impl Ip, budget: usize) -> Result<bool, SendError> {
        for _ in 0..budget {
            let Some(index) = self.table.first_ready() else { return Ok(false) };
            let Some(socket) = self.table.at(index) else {
                self.table.end_turn();
                continue;
            };
            if let Some(datagram) = self.pool.front(&socket.outgoing) {
                let len = usize::from(datagram.len);
                let ends = datagram.ends;
                match send(ip, ends, len, &mut Body::Queued(&self.pool, &socket.outgoing)) {
                    Ok(()) => self.stats.sent += 1,
                    Err(error @ (SendError::Full | SendError::Disconnected)) => return Err(error),
                    Err(error) => {
                        self.stats.unsent += 1;
                        on_refused(socket, ends.remote, error, &mut self.wakers);
                    }
                }
                self.pool.drop_front(&mut socket.outgoing);
                self.wakers.wake(&mut socket.writers);
                self.wakers.wake(&mut self.room);
            }
            let more = !socket.outgoing.is_empty();
            if more && self.table.is_alone() {
                continue;
            }
            self.table.end_turn();
            if more {
                self.table.make_ready(index);
            } else {
                self.table.remove_closed(index);
            }
        }
        Ok(self.table.first_ready().is_some())
    }
}

/// Both ends of a datagram, if the socket may send it. Where our address is unspecified, the route chooses.
#[inline]
fn ends<A: Address>(socket: &Socket<A>, source: &Source, remote: &SocketAddr) -> Result<Ends<A>, Error> {
    let remote = End::<A>::from_socket(remote).ok_or(Error::Unsupported)?;
    let local = match source {
        Source::Own => socket.own(),
        Source::Address(address) => End::new(*address, socket.port).ok_or(Error::Unsupported)?,
        Source::End(end) => End::from_socket(end).ok_or(Error::Unsupported)?,
    };
    let owned =
        socket.address.is_none_or(|own| own == local.address) && (socket.port == 0 || socket.port == local.port);
    let ends = Ends { local, remote };
    if !owned || !are_usable(&ends) {
        return Err(Error::AddressNotAvailable);
    }
    if are_mixed(&ends) {
        return Err(Error::Unsupported);
    }
    Ok(ends)
}

/// Whether a datagram can go from here to there at all.
#[inline]
fn are_usable<A: Address>(Ends { local, remote }: &Ends<A>) -> bool {
    local.port != 0 && remote.port != 0 && !remote.is_unspecified()
}

/// Whether they are of different IP versions.
#[inline]
fn are_mixed<A: Address>(Ends { local, remote }: &Ends<A>) -> bool {
    local.address.ip().is_ipv4() != remote.address.ip().is_ipv4() && !local.is_unspecified()
}

/// What `socket` sent to `remote` cannot go there: it hears of it if it is connected to it.
#[cold]
fn on_refused<A: Address>(socket: &mut Socket<A>, remote: End<A>, error: SendError, wakers: &mut WakerPool<'_>) {
    if socket.remote == Some(remote) {
        socket.error = Some(error.into());
        wakers.wake(&mut socket.readers);
    }
}

/// Where the payload of a datagram comes from. One piece of code sends them all.
enum Body<'b, 's, A> {
    Bytes(&'b [u8]),
    /// The first of this queue.
    Queued(&'b Pool<'s, A>, &'b Queue),
    /// Writes and sums it.
    Filled(&'b mut dyn FnMut(&mut FrameWriter<'_>) -> Sum),
}

impl<A: Address> Body<'_, '_, A> {
    /// Writes `len` bytes: this is the copy out. Gives their sum.
    #[inline]
    fn put(&mut self, out: &mut FrameWriter<'_>, len: usize) -> Sum {
        match self {
            Self::Bytes(bytes) => out.put_summed(bytes),
            Self::Queued(pool, queue) => {
                let mut sum = Sum::ZERO;
                pool.read(queue, len, |piece| sum = sum.add_sum(out.put_summed(piece)));
                sum
            }
            Self::Filled(fill) => fill(out),
        }
    }
}

/// Sends a datagram of `len` bytes.
#[inline]
fn send<A: Address>(ip: &mut impl Ip, ends: Ends<A>, len: usize, body: &mut Body<'_, '_, A>) -> Result<(), SendError> {
    let source = source(ip, ends).ok_or(SendError::NoRoute)?;
    let beginning = Beginning::new(ip, source, ends, len);
    let packet = beginning.packet(source, ends.remote.address.ip(), len);
    let Beginning { header, sum: header_sum, offloaded } = beginning;
    ip.send(packet, move |out| {
        let start = out.len();
        out.put_header(header.as_bytes());
        let sum = body.put(out, len);
        if !offloaded {
            let checksum = header_sum.add_sum(sum).finish_udp();
            out.patch(start + usize::from(Header::CHECKSUM), &checksum.to_be_bytes());
        }
    })
}

/// The header of a datagram, all but its checksum if nobody else completes it.
struct Beginning {
    header: Header,
    /// Of the header and what it stands for.
    sum: Sum,
    /// Whether the device completes the checksum.
    offloaded: bool,
}

impl Beginning {
    /// What goes before `len` bytes.
    #[inline(always)]
    fn new<A: Address>(ip: &impl Ip, source: IpAddr, Ends { local, remote }: Ends<A>, len: usize) -> Self {
        let destination = remote.address.ip();
        let len = Header::LEN + len;
        // The words of the header, whose checksum is zero yet, and what it stands for.
        let words = u64::from(local.port) + u64::from(remote.port) + len as u64;
        let pseudo = Sum::ZERO.pseudo_header(source, destination, Protocol::UDP.0, len as u32);
        let offload = if destination.is_ipv4() { ChecksumOffload::UDP_V4 } else { ChecksumOffload::UDP_V6 };
        let offloaded = ip.capabilities(destination).checksum.contains(offload) && len <= ip.mtu(destination);
        let header = Header {
            source: U16::new(local.port),
            destination: U16::new(remote.port),
            // Fits: the payload is at most `LONGEST`.
            len: U16::new(len as u16),
            checksum: U16::new(if offloaded { pseudo.partial() } else { 0 }),
        };
        Self { header, sum: pseudo.add_u64(words), offloaded }
    }

    /// The packet that carries it.
    #[inline(always)]
    fn packet(&self, source: IpAddr, destination: IpAddr, len: usize) -> Packet {
        let mut packet = Packet::new(source, destination, Protocol::UDP, Header::LEN + len);
        if self.offloaded {
            packet.checksum = Some(PartialChecksum { start: 0, offset: Header::CHECKSUM });
        }
        packet
    }
}

/// Where a datagram comes from; where no address is given, the route has one.
#[inline]
fn source<A: Address>(ip: &impl Ip, Ends { local, remote }: Ends<A>) -> Option<IpAddr> {
    if local.is_unspecified() { ip.source(remote.address.ip()) } else { Some(local.address.ip()) }
}
