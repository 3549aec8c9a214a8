//! Waiting for a time: an ordered map, so that neither the next deadline nor a wake-up needs a scan.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};

use super::Core;

/// The executor's clock and its timers. A handle: clones are the same timer.
#[derive(Clone)]
pub struct Timer(Rc<Core>);

impl Timer {
    pub(super) fn new(core: Rc<Core>) -> Self {
        Self(core)
    }

    /// How many tasks wait for a time now.
    pub fn pending(&self) -> usize {
        self.0.timers.waiting.borrow().len()
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
                *key = Some(core.timers.insert(*deadline, cx.waker()));
                Poll::Pending
            }
            Some(kept) => match core.timers.waiting.borrow_mut().get_mut(kept) {
                Some(waker) => {
                    waker.clone_from(cx.waker());
                    Poll::Pending
                }
                None => {
                    *key = None;
                    Poll::Ready(())
                }
            },
        }
    }
}

impl Drop for SleepUntil {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.core.timers.waiting.borrow_mut().remove(&key);
            drop(waker);
        }
    }
}

impl fmt::Debug for SleepUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepUntil").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// The deadline, and a number that tells equal ones apart: first come, first served.
type Key = (Instant, u64);

#[derive(Default)]
pub(super) struct Timers {
    waiting: RefCell<BTreeMap<Key, Waker>>,
    next: Cell<u64>,
}

impl Timers {
    fn insert(&self, deadline: Instant, waker: &Waker) -> Key {
        let key = (deadline, self.next.replace(self.next.get() + 1));
        self.waiting.borrow_mut().insert(key, waker.clone());
        key
    }

    pub(super) fn earliest(&self) -> Option<Instant> {
        self.waiting.borrow().first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Wakes everybody whose time has come.
    pub(super) fn fire(&self, now: Instant) {
        while self.earliest().is_some_and(|deadline| deadline <= now) {
            let first = self.waiting.borrow_mut().pop_first();
            if let Some((_, waker)) = first {
                waker.wake();
            }
        }
    }
}
