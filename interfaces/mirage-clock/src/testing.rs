//! A clock that tests own, and the exam for every clock.

use core::cell::Cell;

use crate::{Duration, Instant, Monotonic, Timestamp, Wall};

/// A clock that stands still until it is told to move.
#[derive(Debug, Default)]
pub struct MockClock {
    now: Cell<Instant>,
    wall_offset: Cell<i64>,
}

impl MockClock {
    /// A clock at its start; on the wall it is 1970.
    pub const fn new() -> Self {
        Self { now: Cell::new(Instant::ZERO), wall_offset: Cell::new(0) }
    }

    /// Moves time forward by `span`.
    pub fn advance(&self, span: Duration) {
        self.now.set(self.now.get() + span);
    }

    /// Moves time forward to `to`; never back.
    pub fn advance_to(&self, to: Instant) {
        self.now.set(self.now.get().max(to));
    }

    /// Sets the clock on the wall so that it shows `seconds` at the monotonic clock's start. It may jump back.
    pub fn set_wall(&self, seconds: i64) {
        self.wall_offset.set(seconds);
    }
}

impl Monotonic for MockClock {
    fn now(&self) -> Instant {
        self.now.get()
    }
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

impl Wall for MockClock {
    fn timestamp(&self) -> Option<Timestamp> {
        let nanos = self.now.get().as_nanos();
        Some(Timestamp {
            seconds: self.wall_offset.get().saturating_add((nanos / 1_000_000_000) as i64),
            nanos: (nanos % 1_000_000_000) as u32,
        })
    }
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

/// The exam for a monotonic clock: it never goes back over many readings and its resolution is neither zero nor
/// worse than a second.
///
/// # Panics
/// When the clock fails.
pub fn examine_monotonic(clock: &impl Monotonic) {
    assert!(!clock.resolution().is_zero(), "a clock's resolution is not zero");
    assert!(clock.resolution() <= Duration::from_secs(1), "a clock shows at least seconds");
    let mut last = clock.now();
    for _ in 0..10_000 {
        let now = clock.now();
        assert!(now >= last, "went back from {last} to {now}");
        last = now;
    }
}

/// The exam for a wall clock: if there is one, its nanoseconds are below a second.
///
/// # Panics
/// When the clock fails.
pub fn examine_wall(clock: &impl Wall) {
    assert!(!clock.resolution().is_zero(), "a clock's resolution is not zero");
    if let Some(time) = clock.timestamp() {
        assert!(time.nanos < 1_000_000_000, "{} nanoseconds are over a second", time.nanos);
    }
}
