//! The gateway's clock and timer, as one.

use core::future::Future;
use core::pin::pin;

use futures_util::future::{Either, select};
use mirage_clock::{Duration, Instant, Monotonic, Sleep};

/// A clock and what waits by it.
pub(crate) trait Time {
    /// The time.
    fn now(&self) -> Instant;

    /// What `future` gives, or `None` when it has not ended by `deadline`.
    async fn until<T>(&self, deadline: Instant, future: impl Future<Output = T>) -> Option<T>;

    /// What `future` gives, or `None` when it takes longer than `span`.
    async fn within<T>(&self, span: Duration, future: impl Future<Output = T>) -> Option<T> {
        self.until(self.now() + span, future).await
    }

    /// Waits a moment before something that failed is tried again: a failure that stays must not keep everybody busy.
    async fn pause(&self) {
        self.within(Duration::from_millis(500), core::future::pending::<()>()).await;
    }
}

/// The two halves of a [`Time`].
pub(crate) struct ClockAndTimer<C, S> {
    pub(crate) clock: C,
    pub(crate) sleep: S,
}

impl<C: Monotonic, S: Sleep> Time for ClockAndTimer<C, S> {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    async fn until<T>(&self, deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
        match select(pin!(future), pin!(self.sleep.sleep_until(deadline))).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }
}
