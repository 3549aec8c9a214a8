//! The futures, each at its index.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};

use super::ready::{ReadyQueue, Task};

type Boxed = Pin<Box<dyn Future<Output = ()>>>;

pub(super) struct Tasks {
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    slots: Vec<Option<Slot>>,
    /// Indices of empty slots.
    free: Vec<usize>,
    limit: usize,
}

struct Slot {
    task: Arc<Task>,
    /// `None` while the task is being polled.
    future: Option<Boxed>,
}

impl Tasks {
    pub(super) fn new(limit: usize) -> Self {
        Self { inner: RefCell::new(Inner { slots: Vec::new(), free: Vec::new(), limit }) }
    }

    pub(super) fn len(&self) -> usize {
        let inner = self.inner.borrow();
        inner.slots.len() - inner.free.len()
    }

    /// Keeps the future; `None` at the bound.
    pub(super) fn insert(
        &self,
        future: impl Future<Output = ()> + 'static,
        queue: &Arc<ReadyQueue>,
    ) -> Option<Arc<Task>> {
        if self.len() >= self.inner.borrow().limit {
            return None;
        }
        let future: Boxed = Box::pin(future);
        let inner = &mut *self.inner.borrow_mut();
        let index = inner.free.pop().unwrap_or_else(|| {
            inner.slots.push(None);
            inner.slots.len() - 1
        });
        let task = Task::new(index, queue);
        inner.slots[index] = Some(Slot { task: task.clone(), future: Some(future) });
        Some(task)
    }

    /// Polls the future of `task`, unless that is gone.
    pub(super) fn poll(&self, task: Arc<Task>) {
        let Some(mut future) = self.with(&task, |slot| slot.future.take()).flatten() else { return };
        let waker = Waker::from(task.clone());
        // Nothing is borrowed: the task may start others.
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.with(&task, |slot| slot.future = Some(future));
            return;
        }
        drop(future);
        let inner = &mut *self.inner.borrow_mut();
        if let Some(slot) = inner.slots.get_mut(task.index) {
            *slot = None;
            inner.free.push(task.index);
        }
    }

    /// Drops every future and takes no more.
    pub(super) fn close(&self) {
        self.inner.borrow_mut().limit = 0;
        let slots = core::mem::take(&mut *self.inner.borrow_mut()).slots;
        // Nothing is borrowed: their drops may come back.
        drop(slots);
    }

    /// The slot of `task`, unless it has become another task's.
    fn with<R>(&self, task: &Arc<Task>, act: impl FnOnce(&mut Slot) -> R) -> Option<R> {
        let mut inner = self.inner.borrow_mut();
        let slot = inner.slots.get_mut(task.index)?.as_mut()?;
        Arc::ptr_eq(&slot.task, task).then(|| act(slot))
    }
}
