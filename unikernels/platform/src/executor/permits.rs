//! A bound on how many do something at once.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker};

/// So many permits; who wants one more waits until one is given back. A handle: clones share them.
///
/// Those who wait are served in the order they came, as far as they still wait.
#[derive(Clone)]
pub struct Permits(Rc<Inner>);

struct Inner {
    free: Cell<usize>,
    /// Taken out while it is looked at, which is never while foreign code runs.
    waiting: Cell<Vec<Waker>>,
}

/// Dropping it gives it back.
#[derive(Debug)]
pub struct Permit(Permits);

impl Permits {
    /// `count` permits.
    pub fn new(count: usize) -> Self {
        Self(Rc::new(Inner { free: Cell::new(count), waiting: Cell::default() }))
    }

    /// How many are free now.
    pub fn free(&self) -> usize {
        self.0.free.get()
    }

    /// Takes one, as soon as one is free. Cancel-safe: a dropped future has taken none.
    pub fn take(&self) -> impl Future<Output = Permit> {
        poll_fn(|cx| self.poll_take(cx))
    }

    fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Permit> {
        if let Some(left) = self.free().checked_sub(1) {
            self.0.free.set(left);
            return Poll::Ready(Permit(self.clone()));
        }
        let mut waiting = self.0.waiting.take();
        // A task is kept once, so this queue is never longer than there are tasks.
        if !waiting.iter().any(|kept| kept.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        // What is there now is empty: nothing to drop.
        core::mem::forget(self.0.waiting.replace(waiting));
        Poll::Pending
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Inner { free, waiting } = &*self.0.0;
        free.set(free.get() + 1);
        // All of them: the first may have gone away since, and then the permit would lie unused.
        waiting.take().into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").field("free", &self.free()).finish_non_exhaustive()
    }
}
