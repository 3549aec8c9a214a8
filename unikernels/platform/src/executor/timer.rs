//! Waiting for a time.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};
use mirage_waker::lent;

use super::Core;
use super::deadlines::{Deadlines, Key};
use crate::cell::made;

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

/// A deadline that is further away is not compared with the clock before it is kept: that costs more than it saves. One that
/// has passed all the same is found when timers are looked at next.
const NEAR: Duration = Duration::from_millis(1);

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
            None if deadline.since(core.looked.get()) < NEAR && *deadline <= core.park.now() => Poll::Ready(()),
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
    /// Looked at only while no foreign code runs.
    waiting: RefCell<Deadlines>,
}

impl Timers for Heap {
    fn len(&self) -> usize {
        lent(&self.waiting).len()
    }

    fn earliest(&self) -> Option<Instant> {
        lent(&self.waiting).earliest()
    }

    fn fire(&self, now: Instant) {
        loop {
            let due = lent(&self.waiting).pop_due(now);
            let Some(waker) = due else { return };
            waker.wake();
        }
    }

    fn insert(&self, deadline: Instant, waker: Waker) -> Key {
        lent(&self.waiting).insert(deadline, waker)
    }

    fn remove(&self, key: Key) -> bool {
        let waker = lent(&self.waiting).remove(key);
        // The waker is dropped here, outside.
        waker.is_some()
    }

    fn replace(&self, key: Key, waker: &Waker) -> bool {
        let mut other = waker.clone();
        let mut waiting = lent(&self.waiting);
        let place = waiting.waker(key);
        let is_there = place.is_some();
        if let Some(place) = place {
            core::mem::swap(place, &mut other);
        }
        drop(waiting);
        // The one that is not needed is dropped here, outside.
        is_there
    }
}
