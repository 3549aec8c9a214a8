//! Waiting for a time.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};

use super::Core;
use super::deadlines::{Deadlines, Key};
use crate::once::made;

/// The executor's clock and its timers. A handle: clones are the same timer.
#[derive(Clone)]
pub struct Timer(Rc<Core>);

impl Timer {
    pub(super) fn new(core: Rc<Core>) -> Self {
        Self(core)
    }

    /// How many tasks wait for a time now.
    pub fn pending(&self) -> usize {
        self.0.timers().map_or(0, Timers::len)
    }
}

impl Monotonic for Timer {
    fn now(&self) -> Instant {
        self.0.park.now()
    }

    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

impl Sleep for Timer {
    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> {
        SleepUntil { core: self.0.clone(), deadline, key: None }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("pending", &self.pending()).finish_non_exhaustive()
    }
}

/// The future of [`Timer::sleep_until`](Sleep::sleep_until). Dropping it forgets the deadline.
pub struct SleepUntil {
    core: Rc<Core>,
    deadline: Instant,
    /// Where the waker is kept; `None` before the first poll and after the last.
    key: Option<Key>,
}

impl Future for SleepUntil {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { core, deadline, key } = &mut *self;
        match key {
            None if *deadline <= core.park.now() => Poll::Ready(()),
            None => {
                let timers = made(&core.timers, || Box::new(Heap::default()));
                *key = Some(timers.insert(*deadline, cx.waker().clone()));
                Poll::Pending
            }
            Some(kept) if core.timers().is_some_and(|timers| timers.replace(*kept, cx.waker())) => Poll::Pending,
            Some(_) => {
                *key = None;
                Poll::Ready(())
            }
        }
    }
}

impl Drop for SleepUntil {
    fn drop(&mut self) {
        if let (Some(key), Some(timers)) = (self.key, self.core.timers()) {
            timers.remove(key);
        }
    }
}

impl fmt::Debug for SleepUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepUntil").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// What the run loop asks of the timers. An image that never waits for a time is without the code behind it.
pub(super) trait Timers {
    /// How many wait.
    fn len(&self) -> usize;

    /// The earliest deadline.
    fn earliest(&self) -> Option<Instant>;

    /// Wakes everybody whose time has come.
    fn fire(&self, now: Instant);

    /// Keeps a deadline.
    fn insert(&self, deadline: Instant, waker: Waker) -> Key;

    /// Forgets a deadline; says whether it was still to come.
    fn remove(&self, key: Key) -> bool;

    /// Puts `waker` in the place of the one that waits at `key`; says whether its time is still to come.
    fn replace(&self, key: Key, waker: &Waker) -> bool;
}

/// Timers in a heap.
#[derive(Default)]
struct Heap {
    /// Taken out while it is looked at, which is never while foreign code runs.
    waiting: Cell<Deadlines>,
}

impl Heap {
    fn waiting<R>(&self, act: impl FnOnce(&mut Deadlines) -> R) -> R {
        let mut waiting = self.waiting.take();
        let result = act(&mut waiting);
        // What is there now is empty: nothing to drop.
        core::mem::forget(self.waiting.replace(waiting));
        result
    }
}

impl Timers for Heap {
    fn len(&self) -> usize {
        self.waiting(|waiting| waiting.len())
    }

    fn earliest(&self) -> Option<Instant> {
        self.waiting(|waiting| waiting.earliest())
    }

    fn fire(&self, now: Instant) {
        while let Some(waker) = self.waiting(|waiting| waiting.pop_due(now)) {
            waker.wake();
        }
    }

    fn insert(&self, deadline: Instant, waker: Waker) -> Key {
        self.waiting(|waiting| waiting.insert(deadline, waker))
    }

    fn remove(&self, key: Key) -> bool {
        // The waker is dropped outside.
        self.waiting(|waiting| waiting.remove(key)).is_some()
    }

    fn replace(&self, key: Key, waker: &Waker) -> bool {
        let mut old = Some(waker.clone());
        self.waiting(|waiting| match waiting.waker(key) {
            Some(kept) => {
                old = Some(core::mem::replace(kept, waker.clone()));
                true
            }
            None => false,
        })
    }
}
