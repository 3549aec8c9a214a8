//! Tasks that live inside the gateway's own future.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Poll, Waker};

use futures_util::stream::{FuturesUnordered, Stream as _};

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Tasks that come and go while the gateway runs. They may borrow what outlives the gateway's future. How many there
/// are is for those who start them to bound.
pub(crate) struct Tasks<'a> {
    running: FuturesUnordered<Task<'a>>,
    starter: Starter<'a>,
}

/// Starts tasks, also from inside other tasks.
#[derive(Clone, Default)]
pub(crate) struct Starter<'a> {
    queue: Rc<Queue<'a>>,
}

#[derive(Default)]
struct Queue<'a> {
    /// Started by other tasks while those run; they join at the next turn.
    started: RefCell<Vec<Task<'a>>>,
    waker: Cell<Option<Waker>>,
}

impl<'a> Tasks<'a> {
    pub(crate) fn new() -> Self {
        Self { running: FuturesUnordered::new(), starter: Starter::default() }
    }

    pub(crate) fn starter(&self) -> Starter<'a> {
        self.starter.clone()
    }

    /// Runs them all, for ever.
    pub(crate) async fn run(mut self) -> Infallible {
        poll_fn(|cx| {
            let queue = &self.starter.queue;
            loop {
                self.running.extend(queue.started.take());
                queue.waker.set(Some(cx.waker().clone()));
                match Pin::new(&mut self.running).poll_next(cx) {
                    Poll::Ready(Some(())) => {}
                    // Tasks started meanwhile are polled at once: else nobody would wake for them.
                    _ if !queue.started.borrow().is_empty() => {}
                    _ => return Poll::Pending,
                }
            }
        })
        .await
    }
}

impl Drop for Tasks<'_> {
    /// Tasks that never ran hold the queue that holds them: let go of both.
    fn drop(&mut self) {
        self.starter.queue.started.take();
    }
}

impl<'a> Starter<'a> {
    /// Starts a task.
    pub(crate) fn start(&self, task: impl Future<Output = ()> + 'a) {
        self.queue.started.borrow_mut().push(Box::pin(task));
        if let Some(waker) = self.queue.waker.take() {
            waker.wake();
        }
    }
}

/// Lets all other tasks run that can.
pub(crate) async fn yield_now() {
    let mut first = true;
    poll_fn(|cx| {
        if !core::mem::take(&mut first) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
