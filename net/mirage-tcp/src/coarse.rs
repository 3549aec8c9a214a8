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

    /// How long ago it was.
    pub(crate) fn since(self, now: Instant) -> Duration {
        let units = Self::of(now).0.wrapping_sub(self.0);
        Duration::from_nanos(u64::from(units) << SHIFT)
    }
}

const SHIFT: u32 = 20;
