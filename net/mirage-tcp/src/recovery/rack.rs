//! Losses found by time: what was sent well before something that arrived, and did not arrive, is lost (RFC 8985 §6).

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};

use super::proportional::is_later;
use super::{Phase, Recovery};
use crate::runs::{RunSlot, Runs, fate};

/// What RACK remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rack {
    /// When what was sent last among all that arrived was sent, and where it ended.
    sent_at: Instant,
    end: SequenceNumber,
    /// How long it took to be acknowledged.
    rtt: Duration,
    /// The shortest round trip, and when it was measured.
    min_rtt: Duration,
    min_rtt_at: Instant,
    /// The highest number that arrived.
    highest: SequenceNumber,
    /// Where the round trip ends in which the peer last told of something twice.
    twice_until: Option<SequenceNumber>,
    /// Quarters of the shortest round trip that reordering is given.
    quarters: u8,
    /// Recoveries for which `quarters` stays as it is.
    persist: u8,
    /// By how many bytes at most the network was seen to reorder; 0 for not at all.
    pub(crate) distance: u32,
}

impl Rack {
    pub(crate) const NEW: Self = Self {
        sent_at: Instant::ZERO,
        end: SequenceNumber(0),
        rtt: Duration::ZERO,
        min_rtt: Duration::ZERO,
        min_rtt_at: Instant::ZERO,
        highest: SequenceNumber(0),
        twice_until: None,
        quarters: 1,
        persist: 0,
        distance: 0,
    };

    /// The first number.
    pub(crate) fn begin(&mut self, una: SequenceNumber) {
        (self.end, self.highest) = (una, una);
    }

    /// Without records one segment at a time is timed: what ends at `end` and is sent now, if none is.
    pub(crate) fn time(&mut self, now: Instant, end: SequenceNumber) {
        if self.sent_at == Instant::ZERO {
            (self.sent_at, self.end) = (now, end);
        }
    }

    /// How long the timed segment took, if `ack` acknowledges it.
    pub(super) fn timed(&mut self, now: Instant, ack: SequenceNumber) -> Option<Duration> {
        if self.sent_at == Instant::ZERO || ack.before(self.end) {
            return None;
        }
        Some(now.since(core::mem::replace(&mut self.sent_at, Instant::ZERO)))
    }

    /// No segment is timed.
    pub(super) fn do_not_time(&mut self) {
        self.sent_at = Instant::ZERO;
    }

    pub(crate) fn min_rtt(&self) -> Duration {
        self.min_rtt
    }

    /// A round trip was measured. The shortest is forgotten after five minutes.
    pub(crate) fn on_rtt(&mut self, now: Instant, rtt: Duration) {
        if rtt <= self.min_rtt || self.min_rtt.is_zero() || now.since(self.min_rtt_at) > MIN_RTT_LIFETIME {
            (self.min_rtt, self.min_rtt_at) = (rtt.max(Duration::from_micros(1)), now);
        }
    }

    /// `run` arrived, all or up to `end`. `by_original`: its echo says that it was not the last sending that arrived.
    pub(super) fn on_delivered(&mut self, now: Instant, run: &RunSlot, end: SequenceNumber, by_original: bool) {
        let rtt = now.since(run.sent_at);
        if run.is(fate::RESENT) {
            // §6.2 step 2: an acknowledgement that comes too soon is that of an earlier sending.
            if by_original || rtt < self.min_rtt {
                return;
            }
            self.note(rtt, run.sent_at, end);
        } else {
            self.on_first_delivered(rtt, run.sent_at, run.start, end);
        }
    }

    /// What was sent only once, at `sent_at`, arrived after `rtt`.
    #[inline]
    pub(super) fn on_first_delivered(
        &mut self,
        rtt: Duration,
        sent_at: Instant,
        start: SequenceNumber,
        end: SequenceNumber,
    ) {
        if end.before(self.highest) {
            // It was sent before what arrived before it.
            self.distance = self.distance.max(self.highest.since(start));
        }
        self.note(rtt, sent_at, end);
    }

    #[inline]
    fn note(&mut self, rtt: Duration, sent_at: Instant, end: SequenceNumber) {
        self.highest = self.highest.latest(end);
        self.rtt = rtt;
        if is_later((sent_at, end), (self.sent_at, self.end)) {
            (self.sent_at, self.end) = (sent_at, end);
        }
    }

    /// The peer got something twice: reordering is given more time (§6.2 step 4).
    pub(super) fn on_twice(&mut self, una: SequenceNumber, nxt: SequenceNumber) {
        if self.twice_until.is_some_and(|until| una.before(until)) {
            return;
        }
        self.twice_until = Some(nxt);
        self.quarters = self.quarters.saturating_add(1);
        self.persist = 16;
    }

    /// A recovery ended.
    pub(super) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.quarters = 1;
        }
    }
}

impl Recovery {
    /// How much later than its successors something may arrive.
    fn reordering_window(&self, srtt: Duration, mss: u32) -> Duration {
        let rack = &self.rack;
        if rack.distance == 0 && (self.phase != Phase::Open || self.sacked >= 3 * mss) {
            // §6.2 step 4: as quick as three duplicates where nothing is reordered.
            return Duration::ZERO;
        }
        let quarter = Duration::from_nanos(rack.min_rtt.as_nanos() / 4);
        quarter.saturating_mul(rack.quarters.into()).min(srtt)
    }

    /// Marks what is lost by now; gives how many bytes that were, and how long to wait before looking again.
    pub(crate) fn find_losses(
        &mut self,
        runs: &mut Runs<'_>,
        now: Instant,
        srtt: Duration,
        mss: u32,
    ) -> (u32, Option<Duration>) {
        let window = self.reordering_window(srtt, mss);
        let limit = self.rack.rtt.saturating_add(window);
        let (mut found, mut wait) = (0, None::<Duration>);
        let mut index = self.chain.head;
        while index != crate::identifier::NONE {
            runs.steps += 1;
            let run = runs.of_mut(index);
            index = run.next;
            if run.is(fate::SACKED | fate::LOST) {
                continue;
            }
            if !is_later((self.rack.sent_at, self.rack.end), (run.sent_at, run.end)) {
                // Nothing behind it that was sent only once was sent earlier; what was sent again may have been.
                continue;
            }
            match limit.checked_sub(now.since(run.sent_at)) {
                Some(left) if !left.is_zero() => wait = Some(wait.map_or(left, |wait| wait.max(left))),
                _ => {
                    run.fate |= fate::LOST;
                    found += run.len();
                }
            }
        }
        self.lost += found;
        self.delivery.lost = self.delivery.lost.wrapping_add(found);
        (found, wait)
    }
}

/// As Linux.
const MIN_RTT_LIFETIME: Duration = Duration::from_secs(300);
