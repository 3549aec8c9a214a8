//! A bound on how many do something at once.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Poll, Waker};

/// So many permits; who wants one more waits until one is given back. A handle: clones share them.
///
/// Those who wait are served in the order they came, as far as they still wait.
#[derive(Clone, Debug)]
pub struct Permits(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    free: usize,
    waiting: Vec<Waker>,
}

/// Dropping it gives it back.
#[derive(Debug)]
pub struct Permit(Permits);

impl Permits {
    /// `count` permits.
    pub fn new(count: usize) -> Self {
        Self(Rc::new(RefCell::new(Inner { free: count, waiting: Vec::new() })))
    }

    /// How many are free now.
    pub fn free(&self) -> usize {
        self.0.borrow().free
    }

    /// Takes one, as soon as one is free. Cancel-safe: a dropped future has taken none.
    pub async fn take(&self) -> Permit {
        poll_fn(|cx| {
            let inner = &mut *self.0.borrow_mut();
            if let Some(left) = inner.free.checked_sub(1) {
                inner.free = left;
                return Poll::Ready(Permit(self.clone()));
            }
            // A task is kept once, so this queue is never longer than there are tasks.
            if !inner.waiting.iter().any(|kept| kept.will_wake(cx.waker())) {
                inner.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.borrow_mut().free += 1;
        // All of them: the first may have gone away since, and then the permit would lie unused.
        let waiting = core::mem::take(&mut self.0.0.borrow_mut().waiting);
        waiting.into_iter().for_each(Waker::wake);
    }
}
