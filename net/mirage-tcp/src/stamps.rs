//! Timestamps, and protection against numbers from long ago (RFC 7323).

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};

use crate::Profile;

/// The timestamps of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    /// What is added to our clock, so that nobody learns it (RFC 7323 §5.4).
    pub(crate) offset: u32,
    /// TS.Recent: what we echo.
    pub(crate) recent: u32,
    /// When that was set, in units of 2³⁰ ns, about a second, modulo 2³¹; and in the highest bit, whether both ends want
    /// timestamps.
    recent_at: u32,
}

impl Stamps {
    pub(crate) const OFF: Self = Self { offset: 0, recent: 0, recent_at: 0 };

    /// No timestamps, but an offset for those that go with a SYN.
    pub(crate) fn off(offset: u32) -> Self {
        Self { offset, ..Self::OFF }
    }

    /// A connection whose peer wants them, too; `value` came with its SYN.
    pub(crate) fn begin(now: Instant, offset: u32, value: u32) -> Self {
        Self { offset, recent: value, recent_at: ON | seconds(now) }
    }

    /// Whether both ends want them.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.recent_at & ON != 0
    }

    /// What goes with a segment that is sent later, if timestamps do: the offset of our clock and our echo.
    pub(crate) fn told<P: Profile>(&self) -> Option<(u32, u32)> {
        (P::TIMESTAMPS && self.is_on()).then_some((self.offset, self.recent))
    }

    /// Our clock: milliseconds.
    #[inline]
    pub(crate) fn value(&self, now: Instant) -> u32 {
        (now.as_millis() as u32).wrapping_add(self.offset)
    }

    /// Whether `echo` is of something that we sent before `at`.
    pub(crate) fn is_before(&self, echo: u32, at: Instant) -> bool {
        (echo.wrapping_sub(self.value(at)) as i32) < 0
    }

    /// How long ago what `echo` was sent with was sent, if that is believable.
    pub(crate) fn age(&self, now: Instant, echo: u32) -> Option<Duration> {
        let millis = self.value(now).wrapping_sub(echo);
        (self.is_on() && millis < MOST_BELIEVABLE).then(|| Duration::from_millis(u64::from(millis.max(1))))
    }

    /// Whether `value` is older than what came before (§5.2), so that the segment is from long ago. A peer that was silent for
    /// 24 days may have begun anew.
    pub(crate) fn is_old(&self, now: Instant, value: u32) -> bool {
        let older = (value.wrapping_sub(self.recent) as i32) < 0;
        older && seconds(now).wrapping_sub(self.recent_at) & !ON < OUTDATED
    }

    /// Remembers `value` of a segment that began at `seq`, when `acked_to` was the last acknowledgement sent (§4.3).
    #[inline(always)]
    pub(crate) fn remember(&mut self, now: Instant, value: u32, seq: SequenceNumber, acked_to: SequenceNumber) {
        if !self.is_old(now, value) {
            self.keep(now, value, seq, acked_to);
        }
    }

    /// The same where it is known not to be [old](Self::is_old).
    #[inline(always)]
    pub(crate) fn keep(&mut self, now: Instant, value: u32, seq: SequenceNumber, acked_to: SequenceNumber) {
        if seq.at_or_before(acked_to) {
            self.recent = value;
            self.recent_at = (self.recent_at & ON) | seconds(now);
        }
    }
}

/// The unit of `recent_at`.
#[inline]
fn seconds(now: Instant) -> u32 {
    (now.as_nanos() >> 30) as u32 & !ON
}

const ON: u32 = 1 << 31;
/// 24 days (§5.5) in those units.
const OUTDATED: u32 = 1_931_190;
/// Milliseconds: as long as a measured round trip counts at most.
const MOST_BELIEVABLE: u32 = 60_000;
