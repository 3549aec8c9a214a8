//! The clock that never goes back, and waiting for it.

use core::future::Future;

use crate::{Duration, Instant};

/// A clock that never goes back and is not set by anyone.
///
/// Whether it stands still while the machine is suspended is the backend's to document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a monotonic clock",
    note = "clocks: `mirage_unix::MonotonicClock`, `mirage_clock::testing::MockClock`"
)]
pub trait Monotonic {
    /// The time since the clock's start.
    fn now(&self) -> Instant;

    /// The smallest step this clock can show.
    fn resolution(&self) -> Duration;
}

/// Waiting until a time has come.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot wait for a time to come",
    note = "the platform's timer can: `mirage_platform::Timer`"
)]
pub trait Sleep {
    /// Ends at `deadline` or soon after, at once if that has passed.
    ///
    /// Cancel-safe: dropping the future forgets the deadline and nothing else.
    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()>;
}

impl<T: Monotonic + ?Sized> Monotonic for &T {
    fn now(&self) -> Instant {
        T::now(self)
    }
    fn resolution(&self) -> Duration {
        T::resolution(self)
    }
}

impl<T: Sleep + ?Sized> Sleep for &T {
    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> {
        T::sleep_until(self, deadline)
    }
}
