//! What only matters while bytes are under way.

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
    /// When the pace allows the next segment, in nanoseconds.
    pace_at: u64,
    /// Where the last reading of the queue ended.
    pub(crate) cursor: Cursor,
    /// The most that was under way since the window was last found used up.
    pub(crate) most: u32,
    /// The number that is acknowledged when `most` is old.
    pub(crate) most_until: u32,
}

impl UnderWay {
    pub(crate) const NEW: Self = Self {
        round: Round::NEW,
        rack: Rack::NEW,
        tail: Tail::NEW,
        proportional: Proportional::NEW,
        undo: Undo::NEW,
        pace_at: 0,
        cursor: Cursor::NEW,
        most: 0,
        most_until: 0,
    };

    #[inline]
    pub(crate) fn pace_at(&self) -> Instant {
        Instant::from_nanos(self.pace_at)
    }

    pub(crate) fn pace_until(&mut self, at: Instant) {
        self.pace_at = at.as_nanos();
    }
}
