//! A waker that counts how often it is woken.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;

/// Counts how often its waker is woken.
#[derive(Clone, Debug)]
pub struct Wakes {
    counter: Arc<Counter>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    /// A waker that nobody has woken yet.
    pub fn new() -> Self {
        let counter = Arc::new(Counter::default());
        Self { waker: Waker::from(counter.clone()), counter }
    }

    /// The waker, for `Context::from_waker(wakes.waker())`.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// How often it was woken so far.
    pub fn count(&self) -> usize {
        self.counter.0.load(Ordering::SeqCst)
    }
}

impl Default for Wakes {
    fn default() -> Self {
        Self::new()
    }
}
