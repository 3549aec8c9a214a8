//! The time stamp counter as a clock.

use super::rate;
use super::scale::Scale;
use crate::machine::boot::started;
use crate::machine::cpu::instruction::time_stamp;

/// The counter since the image started.
#[derive(Debug)]
pub(super) struct Counter {
    scale: Scale,
    start: u64,
}

impl Counter {
    /// Finds out how fast it counts.
    pub(super) fn start() -> Self {
        Self { scale: Scale::of(rate::hertz()), start: started() }
    }

    /// Nanoseconds since the image started.
    pub(super) fn now(&self) -> u64 {
        self.scale.to_nanos(time_stamp().saturating_sub(self.start))
    }

    /// What the counter will show at `nanos`.
    pub(super) fn counter_at(&self, nanos: u64) -> u64 {
        self.start.saturating_add(self.scale.to_ticks(nanos))
    }
}
