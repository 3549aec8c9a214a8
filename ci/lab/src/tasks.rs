//! Tasks, and who wants to run.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};

/// What a laboratory shall run.
#[derive(Default)]
pub struct Tasks<'t>(pub(crate) Vec<Task<'t>>);

pub(crate) struct Task<'t> {
    pub(crate) name: String,
    future: Option<Pin<Box<dyn Future<Output = ()> + 't>>>,
    /// Whether the laboratory waits for its end.
    pub(crate) awaited: bool,
    woken: Woken,
}

impl<'t> Tasks<'t> {
    /// Adds a task that has to end.
    pub fn add(&mut self, name: impl Into<String>, future: impl Future<Output = ()> + 't) {
        self.push(name.into(), true, Box::pin(future));
    }

    /// Adds a task that runs for as long as there are others.
    pub fn serve(&mut self, name: impl Into<String>, future: impl Future<Output = ()> + 't) {
        self.push(name.into(), false, Box::pin(future));
    }

    fn push(&mut self, name: String, awaited: bool, future: Pin<Box<dyn Future<Output = ()> + 't>>) {
        self.0.push(Task { name, future: Some(future), awaited, woken: Woken::default() });
    }
}

impl Task<'_> {
    pub(crate) fn is_done(&self) -> bool {
        self.future.is_none()
    }

    /// Polls the task if somebody woke it; says whether it did.
    pub(crate) fn run(&mut self) -> bool {
        let Some(future) = self.future.as_mut().filter(|_| self.woken.take()) else { return false };
        if future.as_mut().poll(&mut Context::from_waker(&self.woken.waker)).is_ready() {
            self.future = None;
        }
        true
    }
}

/// Whether somebody was woken since the last look.
pub(crate) struct Woken {
    flag: Arc<Flag>,
    pub(crate) waker: Waker,
}

struct Flag(AtomicBool);

impl Woken {
    pub(crate) fn take(&self) -> bool {
        self.flag.0.swap(false, Ordering::Relaxed)
    }
}

impl Default for Woken {
    fn default() -> Self {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        Self { waker: Waker::from(flag.clone()), flag }
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
