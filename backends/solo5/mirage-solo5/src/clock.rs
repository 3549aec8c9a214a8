//! The clocks.

use core::marker::PhantomData;

use mirage_clock::{Duration, Instant, Monotonic, Timestamp, Wall};

use crate::Abi;

/// The clock that never goes back. On spt it is the host's own and stands still while the host is suspended; on hvt it
/// counts the processor's cycles.
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock<A>(PhantomData<A>);

impl<A: Abi> MonotonicClock<A> {
    /// The one there is.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Abi> Monotonic for MonotonicClock<A> {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(A::monotonic())
    }

    fn resolution(&self) -> Duration {
        NANOSECOND
    }
}

/// The time of day in UTC as the host has it. The host is asked each time. It may jump in either direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock<A>(PhantomData<A>);

impl<A: Abi> WallClock<A> {
    /// The one there is.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Abi> Wall for WallClock<A> {
    fn timestamp(&self) -> Option<Timestamp> {
        let nanos = A::wall()?;
        Some(Timestamp { seconds: (nanos / SECOND) as i64, nanos: (nanos % SECOND) as u32 })
    }

    fn resolution(&self) -> Duration {
        NANOSECOND
    }
}

/// The hosts do not tell theirs.
const NANOSECOND: Duration = Duration::from_nanos(1);
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;
