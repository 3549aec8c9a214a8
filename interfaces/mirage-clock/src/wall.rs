//! The clock on the wall: set by people, may jump.

use crate::Duration;

/// A point in time since 1970-01-01 00:00:00 UTC, without leap seconds (POSIX time).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, below 10⁹.
    pub nanos: u32,
}

/// A clock that shows the time of day. It may jump in either direction, so never measure with it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a wall clock",
    note = "clocks: `mirage_unix::WallClock`, `mirage_clock::testing::MockClock`"
)]
pub trait Wall {
    /// The time of day, or `None` where the machine has no such clock.
    fn timestamp(&self) -> Option<Timestamp>;

    /// The smallest step this clock can show.
    fn resolution(&self) -> Duration;
}

impl<T: Wall + ?Sized> Wall for &T {
    fn timestamp(&self) -> Option<Timestamp> {
        T::timestamp(self)
    }
    fn resolution(&self) -> Duration {
        T::resolution(self)
    }
}
