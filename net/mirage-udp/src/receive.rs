//! Datagrams and errors on their way up.

use core::hint::cold_path;
use core::num::NonZeroU64;
use core::task::{Context, Poll};

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Received};
use mirage_stack::Datagram;
use zerocopy::FromBytes;
use zerocopy::byteorder::network_endian::U16;

use crate::address::{End, Ends};
use crate::pool::{Index, Refused};
use crate::table::Last;
use crate::wire::Header;
use crate::{Address, Discard, Error, SocketId, Udp};

impl<A: Address> Udp<'_, A> {
    /// Takes a datagram and queues it for its socket: one copy, in one pass with its checksum.
    ///
    /// # Errors
    /// The reason why it was dropped; it is already counted. After [`Discard::NoSocket`] the sender should be told
    /// (RFC 1122 §4.1.3.1).
    pub fn input(&mut self, _now: Instant, received: &Received<'_>) -> Result<(), Discard> {
        let taken = self.take(received);
        self.counted(taken)
    }

    /// Does what [`input`](Self::input) does with a datagram that is for the same socket from the same remote as the one
    /// before, finds room in one block and is what was sent. Of others nothing was taken, and `false` says so.
    ///
    /// It lies in the place of the call.
    #[inline(always)]
    pub fn input_again(&mut self, received: &Received<'_>) -> bool {
        let (Some(last), Ok((header, payload))) = (self.table.last(), parse(received)) else {
            cold_path();
            return false;
        };
        let Last { ends, index, sum } = *last;
        let is_same = header.source.get() == ends.remote.port
            && header.destination.get() == ends.local.port
            && A::from_ip(received.source) == Some(ends.remote.address)
            && A::from_ip(received.destination) == Some(ends.local.address);
        let is_usual = header.checksum != U16::ZERO
            && received.checksum == ReceivedChecksum::Unchecked
            && received.segment_size.is_none();
        // Far less than 2⁶⁴.
        let sum = sum.wrapping_add(header.len.get().into());
        let sum = Sum::ZERO.add_u64(sum).add_u64(header.word());
        let (true, Some(socket)) = (is_same && is_usual, self.table.at(index)) else {
            cold_path();
            return false;
        };
        if !self.pool.push_short(&mut socket.incoming, &self.config.receive, ends, payload, sum) {
            cold_path();
            return false;
        }
        self.wakers.wake(&mut socket.readers);
        self.stats.received += 1;
        true
    }

    /// Like [`input`](Self::input), but shows the datagram to `handler` first, in the device's own buffer. When `handler`
    /// says `true` it is done with: no copy was made. Otherwise it is queued.
    ///
    /// # Errors
    /// Those of [`input`](Self::input).
    pub fn input_with(
        &mut self,
        _now: Instant,
        received: &Received<'_>,
        handler: impl FnOnce(SocketId, Datagram, &[u8]) -> bool,
    ) -> Result<(), Discard> {
        let taken = self.show(received, handler);
        self.counted(taken)
    }

    /// Takes an ICMP error. The connected socket that sent what is quoted says it once, to whoever reads or writes next.
    ///
    /// # Errors
    /// The reason why it was dropped; it is already counted.
    pub fn on_icmp_error(&mut self, error: &IcmpError<'_>) -> Result<(), Discard> {
        let told = self.tell(error);
        if let Err(reason) = told {
            self.discards.count(reason);
        }
        told
    }

    /// Reads the oldest datagram into `buffer`. What does not fit is cut off; [`Datagram::len`] is the whole length.
    ///
    /// Pending when nothing is there: `cx`'s waker is then woken when something comes. Every task that waits is kept.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::HostUnreachable`] once for each error about what a connected socket sent;
    /// [`Error::Closed`].
    pub fn poll_recv(
        &mut self,
        id: SocketId,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<Datagram, Error>> {
        let socket = match self.table.named(id) {
            Ok(socket) => socket,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if let Some(error) = socket.error {
            socket.error = None;
            return Poll::Ready(Err(error));
        }
        let Some((Ends { local, remote }, len)) = self.pool.take_front(&mut socket.incoming, buffer) else {
            self.wakers.register(&mut socket.readers, cx.waker());
            return Poll::Pending;
        };
        self.wakers.wake(&mut self.room);
        Poll::Ready(Ok(Datagram { len: len.into(), remote: remote.socket(), local: local.socket() }))
    }

    fn counted(&mut self, taken: Result<(), Discard>) -> Result<(), Discard> {
        match taken {
            Ok(()) => self.stats.received += 1,
            Err(reason) => self.discards.count(reason),
        }
        taken
    }

    #[inline]
    fn take(&mut self, received: &Received<'_>) -> Result<(), Discard> {
        let (header, payload) = parse(received)?;
        let ends = ends(received, header)?;
        let unverified = unverified(received, header);
        match self.table.find(ends) {
            Some(index) => self.queue(index, ends, payload, unverified),
            // Only who sent a whole datagram is told that nobody listens.
            None => verify(payload, unverified).and(Err(Discard::NoSocket)),
        }
    }

    fn show(
        &mut self,
        received: &Received<'_>,
        handler: impl FnOnce(SocketId, Datagram, &[u8]) -> bool,
    ) -> Result<(), Discard> {
        let (header, payload) = parse(received)?;
        let ends = ends(received, header)?;
        let Ends { local, remote } = ends;
        verify(payload, unverified(received, header))?;
        let index = self.table.find(ends).ok_or(Discard::NoSocket)?;
        if handler(
            self.table.name(index),
            Datagram { len: payload.len(), remote: remote.socket(), local: local.socket() },
            payload,
        ) {
            return Ok(());
        }
        self.queue(index, ends, payload, None)
    }

    #[inline]
    fn queue(
        &mut self,
        index: Index,
        ends: Ends<A>,
        payload: &[u8],
        unverified: Option<NonZeroU64>,
    ) -> Result<(), Discard> {
        let socket = self.table.at(index).ok_or(Discard::NoSocket)?;
        let pushed = self.pool.push(&mut socket.incoming, &self.config.receive, ends, payload, unverified);
        if pushed.is_ok() {
            self.wakers.wake(&mut socket.readers);
        }
        pushed.map_err(|refused| match refused {
            Refused::Queue => Discard::QueueFull,
            Refused::Pool => Discard::PoolFull,
            Refused::Checksum => Discard::BadChecksum,
        })
    }

    fn tell(&mut self, error: &IcmpError<'_>) -> Result<(), Discard> {
        if error.protocol != Protocol::UDP {
            return Err(Discard::ErrorNotUdp);
        }
        let (quoted, _) = Header::ref_from_prefix(error.quoted).map_err(|_| Discard::ErrorNotUdp)?;
        let local = End::new(error.source, quoted.source.get()).ok_or(Discard::ErrorNoSocket)?;
        let remote = End::new(error.destination, quoted.destination.get()).ok_or(Discard::ErrorNoSocket)?;
        let index = self.table.look_up(Ends { local, remote }).ok_or(Discard::ErrorNoSocket)?;
        let socket = self.table.at(index).ok_or(Discard::ErrorNoSocket)?;
        // Anybody can send an ICMP error, but to guess both ports of a connected socket is work (RFC 5927 §4.1). A socket
        // that talks to many must not stop for one of them.
        if socket.remote != Some(remote) {
            return Err(Discard::ErrorNoSocket);
        }
        socket.error = match error.kind {
            IcmpErrorKind::PortUnreachable | IcmpErrorKind::ProtocolUnreachable => Some(Error::Refused),
            // The IP layer sends smaller fragments from now on.
            IcmpErrorKind::FragmentationNeeded { .. } => return Ok(()),
            _ => Some(Error::HostUnreachable),
        };
        self.wakers.wake(&mut socket.readers);
        self.wakers.wake(&mut socket.writers);
        Ok(())
    }
}

/// The header and the payload.
#[inline]
fn parse<'p>(received: &Received<'p>) -> Result<(&'p Header, &'p [u8]), Discard> {
    let (header, _) = Header::ref_from_prefix(received.payload).map_err(|_| Discard::TooShort)?;
    // What lies behind the length that the header gives is not part of the datagram.
    let payload = received.payload.get(Header::LEN..header.len.get().into()).ok_or(Discard::BadLength)?;
    Ok((header, payload))
}

/// Our end and the other one, if a datagram may go from there to here.
#[inline]
fn ends<A: Address>(received: &Received<'_>, header: &Header) -> Result<Ends<A>, Discard> {
    let local = End::new(received.destination, header.destination.get()).ok_or(Discard::OtherVersion)?;
    let remote = End::new(received.source, header.source.get()).ok_or(Discard::OtherVersion)?;
    if local.port == 0 {
        return Err(Discard::BadPort);
    }
    if local == remote {
        return Err(Discard::Land);
    }
    if received.segment_size.is_some() {
        return Err(Discard::Merged);
    }
    Ok(Ends { local, remote })
}

/// The sum of all but the payload, where the checksum is to be verified. It is not zero, for the protocol's number is not.
#[inline]
fn unverified(received: &Received<'_>, header: &Header) -> Option<NonZeroU64> {
    match received.checksum {
        ReceivedChecksum::Verified | ReceivedChecksum::Partial => None,
        // RFC 768: "An all zero transmitted checksum value means that the transmitter generated no checksum". Over IPv6
        // that is not allowed (RFC 8200 §8.1), and the sum will not be right.
        ReceivedChecksum::Unchecked if header.checksum.get() == 0 && received.destination.is_ipv4() => None,
        ReceivedChecksum::Unchecked => {
            let len = header.len.get().into();
            let sum = Sum::ZERO.pseudo_header(received.source, received.destination, Protocol::UDP.0, len);
            NonZeroU64::new(sum.add_u64(header.word()).words())
        }
    }
}

#[cold]
fn verify(payload: &[u8], unverified: Option<NonZeroU64>) -> Result<(), Discard> {
    match unverified {
        Some(sum) if !Sum::ZERO.add_u64(sum.get()).add_bytes(payload).is_valid() => Err(Discard::BadChecksum),
        _ => Ok(()),
    }
}
