//! A clock, and those who sleep by it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};

/// Sleepers by when they are woken; the number keeps those of the same time apart.
type Sleepers = RefCell<BTreeMap<(Instant, u64), Waker>>;

/// A clock `C`, and those who sleep by it.
pub struct Alarm<C> {
    pub clock: C,
    sleepers: Sleepers,
    slept: Cell<u64>,
}

impl<C: Monotonic> Alarm<C> {
    pub fn new(clock: C) -> Self {
        Self { clock, sleepers: RefCell::default(), slept: Cell::new(0) }
    }

    /// When the next sleeper is to be woken.
    pub fn next(&self) -> Option<Instant> {
        self.sleepers.borrow().first_key_value().map(|((at, _), _)| *at)
    }

    /// Wakes those whose time has come.
    pub fn ring(&self) {
        let now = self.clock.now();
        while let Some(first) = self.sleepers.borrow_mut().first_entry().filter(|first| first.key().0 <= now) {
            first.remove().wake();
        }
    }

    /// Waits for so long.
    pub fn sleep(&self, span: Duration) -> impl Future<Output = ()> {
        self.sleep_until(self.clock.now() + span)
    }
}

impl<C: Monotonic> Monotonic for Alarm<C> {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn resolution(&self) -> Duration {
        self.clock.resolution()
    }
}

impl<C: Monotonic> Sleep for Alarm<C> {
    async fn sleep_until(&self, deadline: Instant) {
        self.slept.set(self.slept.get() + 1);
        let entry = Entry { sleepers: &self.sleepers, key: (deadline, self.slept.get()) };
        poll_fn(|cx| {
            if deadline <= self.clock.now() {
                return Poll::Ready(());
            }
            self.sleepers.borrow_mut().insert(entry.key, cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Forgets a sleeper who gave up.
struct Entry<'a> {
    sleepers: &'a Sleepers,
    key: (Instant, u64),
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.sleepers.borrow_mut().remove(&self.key);
    }
}
