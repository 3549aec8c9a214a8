//! The futures, each at its index.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};

use mirage_waker::lent;

use super::ready::{ReadyQueue, Task};

/// A future as the executor keeps it.
pub(super) type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// What the run loop asks of the tasks. An image that never starts one is without the code behind it.
pub(super) trait Tasks {
    /// How many there are.
    fn len(&self) -> usize;

    /// Keeps the future; `None` at the bound.
    fn insert(&self, future: Boxed, queue: &Arc<ReadyQueue>) -> Option<Arc<Task>>;

    /// Polls the future of `task`, unless that is gone.
    fn poll(&self, task: Arc<Task>);

    /// Drops every future and takes no more.
    fn close(&self);
}

/// Tasks up to a bound.
pub(super) struct Table {
    /// Looked at only while no foreign code runs.
    inner: RefCell<Inner>,
}

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

impl Table {
    pub(super) fn new(limit: usize) -> Self {
        Self { inner: RefCell::new(Inner { slots: Vec::new(), free: Vec::new(), limit }) }
    }
}

impl Inner {
    /// The place of `task`, unless it has become another task's.
    fn place(&mut self, task: &Arc<Task>) -> Option<&mut Option<Slot>> {
        let place = self.slots.get_mut(task.index)?;
        let same = place.as_ref().is_some_and(|slot| Arc::ptr_eq(&slot.task, task));
        same.then_some(place)
    }

    /// Its slot.
    #[inline(never)]
    fn slot(&mut self, task: &Arc<Task>) -> Option<&mut Slot> {
        self.place(task)?.as_mut()
    }
}

impl Tasks for Table {
    fn len(&self) -> usize {
        let inner = lent(&self.inner);
        inner.slots.len() - inner.free.len()
    }

    fn insert(&self, future: Boxed, queue: &Arc<ReadyQueue>) -> Option<Arc<Task>> {
        let mut inner = lent(&self.inner);
        if inner.slots.len() - inner.free.len() >= inner.limit {
            // The future is dropped outside: its drop may come back.
            drop(inner);
            return None;
        }
        let index = inner.free.pop().unwrap_or(inner.slots.len());
        let task = Task::new(index, queue);
        let slot = Some(Slot { task: task.clone(), future: Some(future) });
        match inner.slots.get_mut(index) {
            Some(place) => *place = slot,
            None => inner.slots.push(slot),
        }
        Some(task)
    }

    fn poll(&self, task: Arc<Task>) {
        let future = lent(&self.inner).slot(&task).and_then(|slot| slot.future.take());
        let Some(mut future) = future else { return };
        let waker = Waker::from(task.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            let mut future = Some(future);
            if let Some(slot) = lent(&self.inner).slot(&task) {
                core::mem::swap(&mut slot.future, &mut future);
            }
            // What has no slot any more is dropped here, outside.
            return;
        }
        drop(future);
        let mut inner = lent(&self.inner);
        let slot = inner.place(&task).and_then(Option::take);
        if slot.is_some() {
            inner.free.push(task.index);
        }
        drop(inner);
        drop(slot);
    }

    fn close(&self) {
        let mut inner = lent(&self.inner);
        inner.limit = 0;
        inner.free = Vec::new();
        let slots = core::mem::take(&mut inner.slots);
        drop(inner);
        // Outside: their drops may come back.
        drop(slots);
    }
}
