//! What only matters while bytes are under way.

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use zerocopy::FromZeros;

use crate::recovery::{Proportional, Rack, Round, Tail, Undo};
use crate::send_queue::Cursor;

/// What only matters while bytes are under way: it lies in the block that holds the oldest of them, so that a connection
/// that waits for its peer or its application does not carry it.
///
/// It begins with the send queue and ends with it; in between it moves from block to block. A FIN that is under way alone
/// has none, and is watched over by the retransmission timer only.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct UnderWay {
    pub(crate) round: Round,
    pub(crate) rack: Rack,
    pub(crate) tail: Tail,
    pub(crate) proportional: Proportional,
    pub(crate) undo: Undo,
    /// What the congestion controller needs to take its last reduction back.
    pub(crate) before: [u32; 5],
    /// When the pace allows the next segment, in nanoseconds.
    pace_at: u64,
    /// Where the last reading of the queue ended.
    pub(crate) cursor: Cursor,
    /// The most that was under way since the window was last found used up.
    pub(crate) most: u32,
    /// The number that is acknowledged when `most` is old.
    pub(crate) most_until: u32,
    /// Where the last segment that was not full ended (Minshall's form of Nagle's algorithm).
    pub(crate) small_end: u32,
    /// What is acknowledged when the peer has heard that the window was reduced for a congestion mark.
    pub(crate) reduced_until: u32,
    /// Whether it was.
    pub(crate) reduced: bool,
}

impl UnderWay {
    pub(crate) const NEW: Self = Self {
        round: Round::NEW,
        rack: Rack::NEW,
        tail: Tail::NEW,
        proportional: Proportional::NEW,
        undo: Undo::NEW,
        before: [0; 5],
        pace_at: 0,
        cursor: Cursor::NEW,
        most: 0,
        most_until: 0,
        small_end: 0,
        reduced_until: 0,
        reduced: false,
    };

    /// A queue begins: forgets what the block held before. What is not written here is written before it is read.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.rack = Rack::NEW;
        self.tail = Tail::NEW;
        self.undo = Undo::NEW;
        self.cursor = Cursor::NEW;
        (self.pace_at, self.most, self.reduced) = (0, 0, false);
    }

    #[inline]
    pub(crate) fn pace_at(&self) -> Instant {
        Instant::from_nanos(self.pace_at)
    }

    /// Whether the window was reduced for a congestion mark, and nothing sent since is acknowledged when `una` is the oldest
    /// number that is not: not again before, so that the peer has heard of it (RFC 3168 §6.1.2).
    #[inline]
    pub(crate) fn is_reduced(&self, una: SequenceNumber) -> bool {
        self.reduced && !una.after(SequenceNumber(self.reduced_until))
    }

    pub(crate) fn pace_until(&mut self, at: Instant) {
        self.pace_at = at.as_nanos();
    }
}
