//! Time in steps of 2²⁰ ns, about a millisecond: a shift makes it, and 32 bits of it last 52 days.

use mirage_clock::{Duration, Instant};

/// A point in time modulo 2³² steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick(pub(crate) u32);

impl Tick {
    pub(crate) fn of(now: Instant) -> Self {
        Self((now.as_nanos() >> SHIFT) as u32)
    }

    /// Steps from `earlier` to this, negative if it is later.
    pub(crate) fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// `steps` later.
    pub(crate) fn plus(self, steps: u32) -> Self {
        Self(self.0.wrapping_add(steps))
    }
}

/// A span in steps, rounded down.
pub(crate) fn steps(span: Duration) -> u32 {
    u32::try_from(span.as_nanos() >> SHIFT).unwrap_or(u32::MAX)
}

const SHIFT: u32 = 20;
