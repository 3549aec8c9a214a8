//! Cutting a packet that is longer than the MTU (RFC 791 §3.2).

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};
use mirage_net::{FrameWriter, SendError};
use mirage_protocols::{HopPacket, Neighbours};
use zerocopy::byteorder::network_endian::U16;

use crate::over::{Fill, transmit};
use crate::route::Hop;
use crate::wire::{HEADER_LEN, Header, MORE_FRAGMENTS};

/// One packet at a time, on its way out in pieces.
#[derive(Debug)]
pub(crate) struct Fragments<'s> {
    /// Where the packet lies, without its header.
    buffer: ManagedSlice<'s, u8>,
    pending: Option<Pending>,
}

/// A packet in the buffer of which not every piece has left.
#[derive(Debug)]
struct Pending {
    hop: Hop,
    /// The header of every piece but for length, offset and checksum.
    header: Header,
    options: &'static [u8],
    /// Length of the packet without its header, in bytes.
    len: usize,
    /// How much of it has left. Invariant: a multiple of eight, below `len`.
    sent: usize,
    /// Length of a piece without its header, in bytes. Invariant: a multiple of eight, not zero.
    piece: usize,
    patience: Patience,
    /// The next hop's queue of unresolved packets had no room for the piece that was offered last.
    unresolved: bool,
}

/// What to do while the next hop's queue of unresolved packets has no room.
#[derive(Clone, Copy, Debug)]
enum Patience {
    /// Nothing is in the way.
    Ready,
    /// Try again, the first refusal was at `since`.
    Retry { since: Instant },
    /// Wait until `until`, then try again.
    Wait { since: Instant, until: Instant },
}

impl<'s> Fragments<'s> {
    pub(crate) fn new(buffer: ManagedSlice<'s, u8>) -> Self {
        Self { buffer, pending: None }
    }

    /// Lets `fill` write a packet of `len` bytes and sends as many pieces as the device takes.
    #[cold]
    #[expect(clippy::too_many_arguments, reason = "what the caller found out on the way here, each once")]
    pub(crate) fn send<N: Neighbours + ?Sized>(
        &mut self,
        neighbours: &mut N,
        hop: Hop,
        mtu: usize,
        header: Header,
        options: &'static [u8],
        len: usize,
        fill: Fill<'_>,
    ) -> Result<(), SendError> {
        match &self.pending {
            None => {}
            Some(waiting) if !waiting.unresolved => return Err(SendError::Full),
            Some(waiting) if waiting.hop == hop => return Err(SendError::Unresolved),
            // It waits for a neighbour that has not answered: it gives way, so that nobody waits for that neighbour but it.
            Some(_) => self.pending = None,
        }
        let piece = mtu.saturating_sub(HEADER_LEN + options.len()) / 8 * 8;
        if piece == 0 {
            return Err(SendError::TooLong);
        }
        let space = self.buffer.get_mut(..len).ok_or(SendError::TooLong)?;
        // What was not written must not leave, it is another packet's.
        let written = FrameWriter::fill(space, fill).ok_or(SendError::TooLong)?.len();
        debug_assert_eq!(written, len, "fill writes as many bytes as it announced");
        if written != len {
            return Err(SendError::TooLong);
        }
        self.pending =
            Some(Pending { hop, header, options, len, sent: 0, piece, patience: Patience::Ready, unresolved: false });
        match self.advance(neighbours) {
            // The packet was taken: the rest leaves by `poll_transmit`.
            Ok(()) | Err(SendError::Full) => Ok(()),
            Err(error) => {
                if let Some(waiting) = self.pending.as_mut().filter(|waiting| waiting.sent > 0)
                    && error == SendError::Unresolved
                {
                    waiting.unresolved = true;
                    return Ok(());
                }
                self.pending = None;
                Err(error)
            }
        }
    }

    pub(crate) fn wants_transmit(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| !matches!(pending.patience, Patience::Wait { .. }))
    }

    pub(crate) fn poll_transmit<N: Neighbours + ?Sized>(&mut self, now: Instant, neighbours: &mut N) {
        if self.pending.is_some() {
            self.go_on(now, neighbours);
        }
    }

    #[cold]
    fn go_on<N: Neighbours + ?Sized>(&mut self, now: Instant, neighbours: &mut N) {
        self.handle_timeout(now);
        if !self.wants_transmit() {
            return;
        }
        let result = self.advance(neighbours);
        let Some(pending) = &mut self.pending else { return };
        pending.unresolved = result == Err(SendError::Unresolved);
        pending.patience = match (result, pending.patience) {
            (Ok(()) | Err(SendError::Full), _) => Patience::Ready,
            (Err(SendError::Unresolved), Patience::Retry { since }) if now - since < GIVE_UP => {
                Patience::Wait { since, until: now + PAUSE }
            }
            (Err(SendError::Unresolved), Patience::Ready) => Patience::Wait { since: now, until: now + PAUSE },
            _ => {
                // A datagram without its end is of no use to anyone: IP may lose it.
                self.pending = None;
                return;
            }
        };
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.pending.as_ref()?.patience {
            Patience::Wait { until, .. } => Some(until),
            Patience::Ready | Patience::Retry { .. } => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(pending) = &mut self.pending
            && let Patience::Wait { since, until } = pending.patience
            && until <= now
        {
            pending.patience = Patience::Retry { since };
        }
    }

    /// Sends pieces until all have left or one does not.
    fn advance<N: Neighbours + ?Sized>(&mut self, neighbours: &mut N) -> Result<(), SendError> {
        while let Some(pending) = &mut self.pending {
            let left = self.buffer.get(pending.sent..pending.len).unwrap_or_default();
            let (bytes, more) = match left.split_at_checked(pending.piece) {
                Some((bytes, rest)) if !rest.is_empty() => (bytes, MORE_FRAGMENTS),
                _ => (left, 0),
            };
            let len = HEADER_LEN + pending.options.len() + bytes.len();
            let mut header = pending.header;
            header.total_length = U16::new(len as u16);
            header.flags_and_offset = U16::new((pending.sent / 8) as u16 | more);
            header.seal(pending.options);
            let packet = HopPacket { to: pending.hop.next, len, checksum: None, segment_size: None };
            // Router Alert, the only option we send, belongs into every piece (RFC 2113 §2.1: copied flag 1).
            // Copy: the packet had to be written whole before its pieces could leave.
            let fill: Fill<'_> = &mut |frame| frame.put(bytes);
            transmit(neighbours, pending.hop.interface, &packet, &header, pending.options, fill)?;
            pending.sent += bytes.len();
            if more == 0 {
                self.pending = None;
            }
        }
        Ok(())
    }
}

/// How long to wait before a piece is offered again that the next hop's queue had no room for.
const PAUSE: Duration = Duration::from_millis(50);
/// After how long the next hop does not exist: three questions of a second (RFC 1122 §2.3.2.1).
const GIVE_UP: Duration = Duration::from_secs(3);
