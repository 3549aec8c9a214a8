//! Losses found by time: what was sent well before something that arrived, and did not arrive, is lost (RFC 8985 §6).

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use zerocopy::FromZeros;

use super::proportional::is_later;
use super::{Phase, Recovery};
use crate::runs::{RunSlot, Runs, fate};

/// What RACK remembers of what arrived.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Rack {
    /// When what was sent last among all that arrived was sent, in nanoseconds, and where it ended.
    sent_at: u64,
    end: u32,
    /// The highest number that arrived.
    highest: u32,
    /// How long the last took to be acknowledged, in nanoseconds.
    rtt: u64,
    /// Where the round trip ends in which the peer last told of something twice.
    twice_until: u32,
    /// Whether it did.
    twice: bool,
}

/// What RACK remembers of the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reordering {
    /// The shortest round trip in nanoseconds, 0 before the first.
    min_rtt: u32,
    /// When it was measured, in units of 2³⁰ ns modulo 2¹⁶, about 19 hours: after such a silence it may count for minutes more.
    min_rtt_at: u16,
    /// By how many bytes at most the network was seen to reorder; 0 for not at all.
    pub(crate) distance: u32,
    /// Quarters of the shortest round trip that reordering is given.
    quarters: u8,
    /// Recoveries for which `quarters` stays as it is.
    persist: u8,
}

impl Rack {
    pub(crate) const NEW: Self = Self { sent_at: 0, end: 0, highest: 0, rtt: 0, twice_until: 0, twice: false };

    /// Something is under way from `una` on, and nothing was before.
    #[inline]
    pub(crate) fn begin(&mut self, una: SequenceNumber) {
        (self.end, self.highest) = (una.0, una.0);
    }

    /// `run` arrived, all or up to `end`. `by_original`: its echo says that it was not the last sending that arrived.
    pub(super) fn on_delivered(
        &mut self,
        path: &mut Reordering,
        now: Instant,
        run: &RunSlot,
        end: SequenceNumber,
        by_original: bool,
    ) {
        let rtt = now.since(run.sent_at);
        if run.is(fate::RESENT) {
            // §6.2 step 2: an acknowledgement that comes too soon is that of an earlier sending.
            if by_original || rtt < path.min_rtt() {
                return;
            }
            self.note(rtt, run.sent_at, end);
        } else {
            self.on_first_delivered(path, rtt, run.sent_at, run.start, end);
        }
    }

    /// What was sent only once, at `sent_at`, arrived after `rtt`.
    #[inline]
    pub(super) fn on_first_delivered(
        &mut self,
        path: &mut Reordering,
        rtt: Duration,
        sent_at: Instant,
        start: SequenceNumber,
        end: SequenceNumber,
    ) {
        let highest = SequenceNumber(self.highest);
        if end.before(highest) {
            // It was sent before what arrived before it.
            path.distance = path.distance.max(highest.since(start));
        }
        self.note(rtt, sent_at, end);
    }

    #[inline]
    fn note(&mut self, rtt: Duration, sent_at: Instant, end: SequenceNumber) {
        self.highest = SequenceNumber(self.highest).latest(end).0;
        self.rtt = rtt.as_nanos();
        if is_later((sent_at, end), self.newest()) {
            (self.sent_at, self.end) = (sent_at.as_nanos(), end.0);
        }
    }

    /// When what was sent last among all that arrived was sent, and where it ended.
    fn newest(&self) -> (Instant, SequenceNumber) {
        (Instant::from_nanos(self.sent_at), SequenceNumber(self.end))
    }

    /// The peer got something twice: reordering is given more time (§6.2 step 4).
    pub(super) fn on_twice(&mut self, path: &mut Reordering, una: SequenceNumber, nxt: SequenceNumber) {
        if self.twice && una.before(SequenceNumber(self.twice_until)) {
            return;
        }
        (self.twice, self.twice_until) = (true, nxt.0);
        path.quarters = path.quarters.saturating_add(1);
        path.persist = 16;
    }
}

impl Reordering {
    pub(crate) const NEW: Self = Self { min_rtt: 0, min_rtt_at: 0, distance: 0, quarters: 1, persist: 0 };

    /// The shortest round trip of the last minutes; zero before the first. What is longer than four seconds counts as that.
    #[inline]
    pub(crate) fn min_rtt(&self) -> Duration {
        Duration::from_nanos(self.min_rtt.into())
    }

    /// A round trip was measured. The shortest is forgotten after five minutes.
    #[inline(always)]
    pub(crate) fn on_rtt(&mut self, now: Instant, rtt: Duration) {
        let now = (now.as_nanos() >> AGE_SHIFT) as u16;
        if rtt > self.min_rtt() && self.min_rtt != 0 && now.wrapping_sub(self.min_rtt_at) <= MIN_RTT_LIFETIME {
            return;
        }
        let rtt = rtt.as_nanos().clamp(1000, u32::MAX.into()) as u32;
        if rtt <= self.min_rtt || self.min_rtt == 0 || now.wrapping_sub(self.min_rtt_at) > MIN_RTT_LIFETIME {
            (self.min_rtt, self.min_rtt_at) = (rtt, now);
        }
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
        let path = &self.reordering;
        if path.distance == 0 && (self.phase != Phase::Open || self.sacked >= 3 * mss) {
            // §6.2 step 4: as quick as three duplicates where nothing is reordered.
            return Duration::ZERO;
        }
        let quarter = Duration::from_nanos(u64::from(path.min_rtt) / 4);
        quarter.saturating_mul(path.quarters.into()).min(srtt)
    }

    /// Marks what is lost by now; gives how many bytes that were, and how long to wait before looking again.
    pub(crate) fn find_losses(
        &mut self,
        rack: &Rack,
        runs: &mut Runs<'_>,
        now: Instant,
        srtt: Duration,
        mss: u32,
    ) -> (u32, Option<Duration>) {
        let window = self.reordering_window(srtt, mss);
        let limit = Duration::from_nanos(rack.rtt).saturating_add(window);
        let (mut found, mut wait) = (0, None::<Duration>);
        let mut index = self.chain.head;
        while index != crate::identifier::NONE {
            runs.steps += 1;
            let run = runs.of_mut(index);
            index = run.next;
            if run.is(fate::SACKED | fate::LOST) {
                continue;
            }
            if !is_later(rack.newest(), (run.sent_at, run.end)) {
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

/// As Linux: five minutes.
const MIN_RTT_LIFETIME: u16 = (300_000_000_000_u64 >> AGE_SHIFT) as u16;
/// The unit of `min_rtt_at`.
const AGE_SHIFT: u32 = 30;
