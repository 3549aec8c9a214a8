//! Waiting for a time.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};

use super::Core;
use super::deadlines::{Deadlines, Key};

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
                *key = Some(core.timers.waiting.borrow_mut().insert(*deadline, cx.waker().clone()));
                Poll::Pending
            }
            Some(kept) => match core.timers.waiting.borrow_mut().waker(*kept) {
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
            let waker = self.core.timers.waiting.borrow_mut().remove(key);
            drop(waker);
        }
    }
}

impl fmt::Debug for SleepUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SleepUntil").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(super) struct Timers {
    waiting: RefCell<Deadlines>,
}

impl Timers {
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.waiting.borrow().earliest()
    }

    /// Wakes everybody whose time has come.
    pub(super) fn fire(&self, now: Instant) {
        loop {
            // Nothing is borrowed while somebody is woken.
            let due = self.waiting.borrow_mut().pop_due(now);
            match due {
                Some(waker) => waker.wake(),
                None => return,
            }
        }
    }
}
