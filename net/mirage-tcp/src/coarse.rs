//! Times that need not be exact.

use mirage_clock::{Duration, Instant};

/// When something happened, in units of 2²⁰ ns: about a millisecond, modulo 52 days. Four bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Coarse(u32);

impl Coarse {
    #[inline]
    pub(crate) fn of(now: Instant) -> Self {
        Self((now.as_nanos() >> SHIFT) as u32)
    }

    /// Whether it was in this unit.
    #[inline]
    pub(crate) fn is_now(self, now: Instant) -> bool {
        self.0 == Self::of(now).0
    }

    /// How long ago it was.
    pub(crate) fn since(self, now: Instant) -> Duration {
        let units = Self::of(now).0.wrapping_sub(self.0);
        Duration::from_nanos(u64::from(units) << SHIFT)
    }
}

/// When something is to happen, in the same units; it must not lie further away than 26 days, and what is more is taken for
/// that. Four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Later(u32);

impl Later {
    pub(crate) const NEVER: Self = Self(0);

    /// `span` after `now`, and up to two units more.
    pub(crate) fn after(now: Instant, span: Duration) -> Self {
        let units = (span.as_nanos() >> SHIFT).min(MOST) as u32;
        Self(Coarse::of(now).0.wrapping_add(units).wrapping_add(2).max(1))
    }

    /// The same as an instant, [`Instant::MAX`] for never. What is past by now lies at most 26 days back.
    pub(crate) fn at(self, now: Instant) -> Instant {
        if self == Self::NEVER {
            return Instant::MAX;
        }
        let left = self.0.wrapping_sub(Coarse::of(now).0) as i32;
        let start = now.as_nanos() >> SHIFT << SHIFT;
        Instant::from_nanos(start.saturating_add_signed(i64::from(left) << SHIFT))
    }
}

const SHIFT: u32 = 20;
const MOST: u64 = (1 << 31) - 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_comes_not_too_early_and_hardly_late() {
        for start in [0, 1, 1_048_575, u64::from(u32::MAX) << SHIFT, (u64::from(u32::MAX) << SHIFT) - 7] {
            let now = Instant::from_nanos(start);
            for span in
                [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(60), Duration::from_secs(1_000_000)]
            {
                let at = Later::after(now, span).at(now);
                assert!(at > now + span && at <= now + span + Duration::from_millis(4), "{start} {span:?} {at:?}");
            }
            assert!(Later::after(now, Duration::MAX).at(now) > now + Duration::from_secs(2_000_000));
            assert_eq!(Later::NEVER.at(now), Instant::MAX);
        }
    }

    #[test]
    fn a_deadline_passes() {
        let start = Instant::from_secs(100);
        let later = Later::after(start, Duration::from_secs(60));
        assert!(later.at(Instant::from_secs(161)) < Instant::from_secs(161));
        assert!(later.at(Instant::from_secs(1_000_000)) < Instant::from_secs(1_000_000));
    }
}
