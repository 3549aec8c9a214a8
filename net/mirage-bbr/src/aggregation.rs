//! How much more is acknowledged at one time than the bandwidth explains (draft-ietf-ccwg-bbr §5.5.9).

use mirage_clock::Instant;

use crate::control::bytes_over;

/// The largest excess of the last five to ten round trips; of the last one or two before the pipe was full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aggregation {
    since: Instant,
    delivered: u32,
    recent: u32,
    older: u32,
    rounds: u8,
}

impl Aggregation {
    pub(crate) const NONE: Self = Self { since: Instant::ZERO, delivered: 0, recent: 0, older: 0, rounds: 0 };

    /// BBR.extra_acked.
    pub(crate) fn extra(&self) -> u32 {
        self.recent.max(self.older)
    }

    /// A new stretch of time begins.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.since = now;
        self.delivered = 0;
    }

    pub(crate) fn end_round(&mut self, full: bool) {
        self.rounds += 1;
        if self.rounds >= if full { ROUNDS / 2 } else { 1 } {
            self.rounds = 0;
            self.older = core::mem::take(&mut self.recent);
        }
    }

    pub(crate) fn update(&mut self, now: Instant, bw: u64, acked: u32, cwnd: u32) {
        let mut expected = bytes_over(bw, now.since(self.since));
        if self.delivered <= expected {
            self.restart(now);
            expected = 0;
        }
        self.delivered = self.delivered.saturating_add(acked);
        self.recent = self.recent.max((self.delivered - expected.min(self.delivered)).min(cwnd));
    }
}

/// ExtraAckedFilterLen.
const ROUNDS: u8 = 10;
