//! A bounded set of tasks that live inside the gateway's own future.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures_util::stream::{FuturesUnordered, Stream as _};

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Tasks that come and go while the gateway runs. They may borrow what outlives the gateway's future.
pub(crate) struct Tasks<'a> {
    running: FuturesUnordered<Task<'a>>,
    starter: Starter<'a>,
}

/// Starts tasks, also from inside other tasks.
#[derive(Clone)]
pub(crate) struct Starter<'a> {
    queue: Rc<Queue<'a>>,
}

struct Queue<'a> {
    /// Started by other tasks while those run; they join at the next poll.
    started: RefCell<Vec<Task<'a>>>,
    count: Cell<usize>,
    limit: usize,
    waker: Cell<Option<Waker>>,
}

impl<'a> Tasks<'a> {
    pub(crate) fn new(limit: usize) -> Self {
        let queue = Queue { started: RefCell::default(), count: Cell::new(0), limit, waker: Cell::new(None) };
        Self { running: FuturesUnordered::new(), starter: Starter { queue: Rc::new(queue) } }
    }

    pub(crate) fn starter(&self) -> Starter<'a> {
        self.starter.clone()
    }

    /// Runs them all, for ever.
    pub(crate) async fn run(mut self) {
        poll_fn(|cx| {
            let queue = &self.starter.queue;
            loop {
                self.running.extend(queue.started.take());
                queue.waker.set(Some(cx.waker().clone()));
                match Pin::new(&mut self.running).poll_next(cx) {
                    Poll::Ready(Some(())) => queue.count.set(queue.count.get() - 1),
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
    /// Starts a task; `false` when there are as many as there may be, and the task is dropped.
    pub(crate) fn start(&self, task: impl Future<Output = ()> + 'a) -> bool {
        let queue = &self.queue;
        if queue.count.get() >= queue.limit {
            return false;
        }
        queue.count.set(queue.count.get() + 1);
        queue.started.borrow_mut().push(Box::pin(task));
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        true
    }
}
