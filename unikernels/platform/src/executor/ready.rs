//! The queue of tasks that can go on: intrusive, so that waking allocates nothing, and open to all threads.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// A task's place in the queue. The future itself stays with the executor, on its thread.
pub(super) struct Task {
    /// Where the executor keeps the future, or [`Task::MAIN`].
    pub(super) index: usize,
    queue: Arc<ReadyQueue>,
    /// Whether the queue holds this task. Only who turned it on may push it.
    queued: AtomicBool,
    /// The task below this one while it is in the queue.
    next: AtomicPtr<Task>,
}

impl Task {
    /// The index of the future that `block_on` was given.
    pub(super) const MAIN: usize = usize::MAX;

    pub(super) fn new(index: usize, queue: &Arc<ReadyQueue>) -> Arc<Self> {
        let next = AtomicPtr::new(ptr::null_mut());
        Arc::new(Self { index, queue: queue.clone(), queued: AtomicBool::new(false), next })
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.queue.push(self.clone());
        }
    }
}

/// A stack of tasks that is taken whole: many may push, one takes.
pub(super) struct ReadyQueue {
    /// Invariant: null, or from `Arc::into_raw`; so is each `next` below it. The stack owns one count of each.
    head: AtomicPtr<Task>,
    unpark: Box<dyn Fn() + Send + Sync>,
}

impl ReadyQueue {
    pub(super) fn new(unpark: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), unpark }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.head.load(Ordering::SeqCst).is_null()
    }

    fn push(&self, task: Arc<Task>) {
        let mut head = self.head.load(Ordering::Relaxed);
        let new = Arc::into_raw(task).cast_mut();
        loop {
            // SAFETY: `new` is from `Arc::into_raw` and its count is ours until the exchange below succeeds.
            unsafe { &*new }.next.store(head, Ordering::Relaxed);
            // SeqCst: ordered against the park's arming, see `Park::park`.
            match self.head.compare_exchange_weak(head, new, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        (self.unpark)();
    }

    /// Takes everything that is in the queue now, the oldest first.
    pub(super) fn take(&self) -> Taken {
        // Taken whole, never popped one by one, so the stack has no ABA problem.
        let mut newest_first = self.head.swap(ptr::null_mut(), Ordering::SeqCst);
        let mut oldest_first = ptr::null_mut();
        while !newest_first.is_null() {
            // SAFETY: by the invariant of `head` this is from `Arc::into_raw`, and its count is ours since the swap.
            let task = unsafe { &*newest_first };
            let below = task.next.swap(oldest_first, Ordering::Relaxed);
            oldest_first = newest_first;
            newest_first = below;
        }
        Taken { head: oldest_first }
    }
}

/// Tasks taken out of the queue, the oldest first.
pub(super) struct Taken {
    /// Invariant: that of [`ReadyQueue::head`].
    head: *mut Task,
}

impl Iterator for Taken {
    type Item = Arc<Task>;

    fn next(&mut self) -> Option<Arc<Task>> {
        if self.head.is_null() {
            return None;
        }
        // SAFETY: by the invariant of `head` this is from `Arc::into_raw` and we own its count.
        let task = unsafe { Arc::from_raw(self.head) };
        self.head = task.next.load(Ordering::Relaxed);
        // From here on it may be queued again, so nothing of its `next` is read any more.
        task.queued.store(false, Ordering::Release);
        Some(task)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
