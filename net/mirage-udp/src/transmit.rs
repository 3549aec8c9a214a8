//! Datagrams on their way down.

use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::{ChecksumOffload, FrameWriter, PartialChecksum, SendError};
use mirage_protocols::{Ip, Packet, Protocol};
use zerocopy::IntoBytes;
use zerocopy::byteorder::network_endian::U16;

use crate::address::End;
use crate::pool::Refused;
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
    /// Queues a datagram whole: one copy, summed in the same pass. [`poll_transmit`](Self::poll_transmit) sends it.
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
        let socket = match self.table.named(id) {
            Ok(socket) => socket,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if let Some(error) = socket.error.take() {
            return Poll::Ready(Err(error));
        }
        let (local, remote) = match ends(socket, &source, &remote) {
            Ok(ends) => ends,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if payload.len() > LONGEST || !self.pool.could_ever_hold(self.config.send, payload.len()) {
            return Poll::Ready(Err(Error::MessageTooLong));
        }
        let list = match self.pool.push(&mut socket.outgoing, self.config.send, (local, remote), payload, None) {
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
        let (local, remote) = ends(socket, &source, &remote)?;
        if len > LONGEST {
            return Err(Error::MessageTooLong);
        }
        let mut whole = true;
        let sent = send(ip, local, remote, len, None, |out| {
            let before = out.len();
            fill(out);
            if out.len() != before + len {
                whole = false;
                // As long as was announced to the layers below, and then a patch from nowhere: the device refuses it.
                out.put_zeroes((before + len).saturating_sub(out.len()));
                out.patch(usize::MAX, &[0]);
            }
        });
        match sent {
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
                let sent = send(ip, datagram.local, datagram.remote, len, Some(datagram.sum()), |out| {
                    // The copy out: the queue is left to the next datagram.
                    self.pool.read(&socket.outgoing, len, |piece| out.put(piece));
                });
                match sent {
                    Ok(()) => self.stats.sent += 1,
                    Err(error @ (SendError::Full | SendError::Disconnected)) => return Err(error),
                    Err(error) => {
                        self.stats.unsent += 1;
                        if socket.remote == Some(datagram.remote) {
                            socket.error = Some(error.into());
                            self.wakers.wake(&mut socket.readers);
                        }
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
fn ends<A: Address>(socket: &Socket<A>, source: &Source, remote: &SocketAddr) -> Result<(End<A>, End<A>), Error> {
    let remote = End::<A>::from_socket(remote).ok_or(Error::Unsupported)?;
    let local = match source {
        Source::Own => socket.own(),
        Source::Address(address) => End::new(*address, socket.port).ok_or(Error::Unsupported)?,
        Source::End(end) => End::from_socket(end).ok_or(Error::Unsupported)?,
    };
    let owned =
        socket.address.is_none_or(|own| own == local.address) && (socket.port == 0 || socket.port == local.port);
    if !owned || local.port == 0 || remote.port == 0 || remote.is_unspecified() {
        return Err(Error::AddressNotAvailable);
    }
    if local.address.ip().is_ipv4() != remote.address.ip().is_ipv4() && !local.is_unspecified() {
        return Err(Error::Unsupported);
    }
    Ok((local, remote))
}

/// Sends a datagram whose payload of `len` bytes `body` writes; `sum` is the payload's, where it is known.
#[inline]
fn send<A: Address>(
    ip: &mut impl Ip,
    local: End<A>,
    remote: End<A>,
    len: usize,
    sum: Option<Sum>,
    mut body: impl FnMut(&mut FrameWriter<'_>),
) -> Result<(), SendError> {
    let destination = remote.address.ip();
    let source = match local.is_unspecified() {
        true => ip.source(destination).ok_or(SendError::NoRoute)?,
        false => local.address.ip(),
    };
    let len = Header::LEN + len;
    let mut header = Header {
        source: U16::new(local.port),
        destination: U16::new(remote.port),
        // Fits: the payload is at most `LONGEST`.
        len: U16::new(len as u16),
        checksum: U16::ZERO,
    };
    let pseudo = Sum::ZERO.pseudo_header(source, destination, Protocol::UDP.0, len as u32);
    let mut packet = Packet::new(source, destination, Protocol::UDP, len);
    let offload = if destination.is_ipv4() { ChecksumOffload::UDP_V4 } else { ChecksumOffload::UDP_V6 };
    if ip.capabilities(destination).checksum.contains(offload) && len <= ip.mtu(destination) {
        packet.checksum = Some(PartialChecksum { start: 0, offset: Header::CHECKSUM });
        header.checksum = U16::new(pseudo.partial());
    } else if let Some(sum) = sum {
        header.checksum = U16::new(pseudo.add_u64(header.word()).add_sum(sum).finish_udp());
    }
    let finished = sum.is_some() || packet.checksum.is_some();
    ip.send(packet, |out| {
        let start = out.len();
        out.put_header(header.as_bytes());
        body(out);
        if !finished && let Some(written) = out.written().get(start..) {
            let checksum = pseudo.add_bytes(written).finish_udp();
            out.patch(start + usize::from(Header::CHECKSUM), &checksum.to_be_bytes());
        }
    })
}
