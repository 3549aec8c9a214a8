//! Two futures at once, and one future for a moment.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

/// Runs two futures to their ends.
///
/// Each has a waker of its own and is polled only when that was woken: a machine that forgets a waker, or keeps one
/// for two tasks, hangs here as it would under an executor with two tasks.
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    let mut branches: Option<[Branch; 2]> = None;
    poll_fn(move |cx| {
        // An executor may move a task to another waker; then both are polled once to hear of it.
        let branches = match &mut branches {
            Some(branches) if branches[0].0.parent.will_wake(cx.waker()) => branches,
            outdated => outdated.insert([Branch::new(cx.waker()), Branch::new(cx.waker())]),
        };
        if first.is_none() {
            first = branches[0].poll(|cx| a.as_mut().poll(cx));
        }
        if second.is_none() {
            second = branches[1].poll(|cx| b.as_mut().poll(cx));
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            unfinished => {
                (first, second) = unfinished;
                Poll::Pending
            }
        }
    })
    .await
}

/// Polls a future once and drops it: its output, if it was ready. For proofs that dropping loses nothing.
pub async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

struct Branch(Arc<Woken>);

struct Woken {
    /// Whether the branch is to be polled.
    woken: AtomicBool,
    parent: Waker,
}

impl Branch {
    fn new(parent: &Waker) -> Self {
        Self(Arc::new(Woken { woken: AtomicBool::new(true), parent: parent.clone() }))
    }

    fn poll<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        if !self.0.woken.swap(false, Ordering::AcqRel) {
            return None;
        }
        match poll(&mut Context::from_waker(&Waker::from(self.0.clone()))) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.parent.wake_by_ref();
    }
}
