//! Cutting a packet that is longer than the MTU (RFC 791 §3.2).

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};
use mirage_net::{FrameWriter, SendError};
use mirage_protocols::Packet;

use crate::over::Fill;
use crate::route::Hop;
use crate::wire::{HEADER_LEN, MORE_FRAGMENTS, ROUTER_ALERT};

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
    packet: Packet,
    hop: Hop,
    identification: u16,
    /// How much of it has left. Invariant: a multiple of eight, below `packet.len`.
    sent: usize,
    /// Length of a piece without its header, in bytes. Invariant: a multiple of eight, not zero.
    piece: usize,
    patience: Patience,
    /// The next hop's queue of unresolved packets had no room for the piece that was offered last.
    unresolved: bool,
}

/// What a piece has of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) identification: u16,
    pub(crate) flags_and_offset: u16,
}

/// What sends a piece: its packet has the piece's length.
pub(crate) type SendPiece<'a> = &'a mut dyn FnMut(&Packet, &Piece, Fill<'_>) -> Result<(), SendError>;

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

    /// All of it, to send pieces with the rest of the layer; meanwhile nothing is here.
    pub(crate) fn take(&mut self) -> Self {
        core::mem::replace(self, Self::new(ManagedSlice::Borrowed(&mut [])))
    }

    /// Lets `fill` write a packet and sends as many pieces as the device takes.
    pub(crate) fn send(
        &mut self,
        packet: &Packet,
        hop: Hop,
        identification: u16,
        mtu: usize,
        fill: Fill<'_>,
        send: SendPiece<'_>,
    ) -> Result<(), SendError> {
        match &self.pending {
            None => {}
            Some(waiting) if !waiting.unresolved => return Err(SendError::Full),
            Some(waiting) if waiting.hop == hop => return Err(SendError::Unresolved),
            // It waits for a neighbour that has not answered: it gives way, so that nobody waits for that neighbour but it.
            Some(_) => self.pending = None,
        }
        // Router Alert, the only option we send, belongs into every piece (RFC 2113 §2.1: copied flag 1).
        let options = if packet.router_alert { ROUTER_ALERT.len() } else { 0 };
        let piece = mtu.saturating_sub(HEADER_LEN + options) / 8 * 8;
        if piece == 0 {
            return Err(SendError::TooLong);
        }
        let space = self.buffer.get_mut(..packet.len).ok_or(SendError::TooLong)?;
        // What was not written must not leave, it is another packet's.
        let written = FrameWriter::fill(space, fill).ok_or(SendError::TooLong)?.len();
        debug_assert_eq!(written, packet.len, "fill writes as many bytes as it announced");
        if written != packet.len {
            return Err(SendError::TooLong);
        }
        let patience = Patience::Ready;
        self.pending =
            Some(Pending { packet: *packet, hop, identification, sent: 0, piece, patience, unresolved: false });
        match self.advance(send) {
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

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_none()
    }

    pub(crate) fn wants_transmit(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| !matches!(pending.patience, Patience::Wait { .. }))
    }

    pub(crate) fn poll_transmit(&mut self, now: Instant, send: SendPiece<'_>) {
        self.handle_timeout(now);
        if !self.wants_transmit() {
            return;
        }
        let result = self.advance(send);
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
    fn advance(&mut self, send: SendPiece<'_>) -> Result<(), SendError> {
        while let Some(pending) = &mut self.pending {
            let left = self.buffer.get(pending.sent..pending.packet.len).unwrap_or_default();
            let (bytes, more) = match left.split_at_checked(pending.piece) {
                Some((bytes, rest)) if !rest.is_empty() => (bytes, MORE_FRAGMENTS),
                _ => (left, 0),
            };
            let packet = Packet { len: bytes.len(), ..pending.packet };
            let flags_and_offset = (pending.sent / 8) as u16 | more;
            let piece = Piece { identification: pending.identification, flags_and_offset };
            // Copy: the packet had to be written whole before its pieces could leave.
            send(&packet, &piece, &mut |frame| frame.put(bytes))?;
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
