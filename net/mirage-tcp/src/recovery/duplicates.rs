//! Losses found by counting: for peers without selective acknowledgments (RFC 5681 §3.2, RFC 6582).

use mirage_checksum::SequenceNumber;

use super::{Phase, Recovery};
use crate::runs::{Runs, fate};

impl Recovery {
    /// A duplicate acknowledgement stands for a segment that arrived out of order; `flight` bytes, from `una` on, are
    /// under way. More duplicates than segments were when the loss was noticed are invented by the peer (Savage et al. 1999)
    /// and count for nothing. Says whether enough came to think the first segment lost.
    pub(crate) fn on_duplicate(&mut self, mss: u32, una: SequenceNumber, flight: u32) -> bool {
        self.duplicates = self.duplicates.saturating_add(1);
        let most = match self.phase {
            Phase::Open => u32::from(THRESHOLD) * mss,
            _ => self.recover.since(una),
        };
        self.sacked = (self.sacked + mss).min(most).min(flight.saturating_sub(mss));
        self.phase == Phase::Open && self.duplicates == THRESHOLD
    }

    /// `acked` bytes were acknowledged: no more than those behind them can have arrived out of order.
    pub(crate) fn on_progress(&mut self, acked: u32, mss: u32, flight: u32) {
        self.duplicates = 0;
        self.sacked = match self.phase {
            Phase::Open => 0,
            _ => self.sacked.saturating_sub(acked.saturating_sub(mss)).min(flight.saturating_sub(mss)),
        };
    }

    /// The first segment under way is lost.
    pub(crate) fn lose_first(&mut self, runs: &mut Runs<'_>, mss: u32) {
        let head = self.chain.head;
        if head == crate::identifier::NONE {
            return;
        }
        if runs.of(head).len() > mss {
            let at = runs.of(head).start + mss;
            runs.cut(&mut self.chain, head, at);
        }
        let run = runs.of_mut(head);
        if !run.is(fate::LOST | fate::SACKED) {
            run.fate |= fate::LOST;
            self.lost += run.len();
            self.delivery.lost = self.delivery.lost.wrapping_add(run.len());
        }
    }
}

/// RFC 5681 §3.2.
const THRESHOLD: u8 = 3;
