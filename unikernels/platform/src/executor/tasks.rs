//! The futures, each at its index.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};

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
    /// Taken out while it is looked at, which is never while foreign code runs.
    inner: Cell<Inner>,
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

impl Table {
    pub(super) fn new(limit: usize) -> Self {
        Self { inner: Cell::new(Inner { slots: Vec::new(), free: Vec::new(), limit }) }
    }

    fn inner<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.inner.take();
        let result = act(&mut inner);
        // What is there now is empty: nothing to drop.
        core::mem::forget(self.inner.replace(inner));
        result
    }

    /// Acts on the slot of `task`, unless it has become another task's.
    fn slot<R>(&self, task: &Arc<Task>, act: impl FnOnce(&mut Option<Slot>, &mut Vec<usize>) -> R) -> Option<R> {
        self.inner(|inner| {
            let place = inner.slots.get_mut(task.index)?;
            let same = place.as_ref().is_some_and(|slot| Arc::ptr_eq(&slot.task, task));
            same.then(|| act(place, &mut inner.free))
        })
    }
}

impl Tasks for Table {
    fn len(&self) -> usize {
        self.inner(|inner| inner.slots.len() - inner.free.len())
    }

    fn insert(&self, future: Boxed, queue: &Arc<ReadyQueue>) -> Option<Arc<Task>> {
        let kept = self.inner(|inner| {
            if inner.slots.len() - inner.free.len() >= inner.limit {
                // It is dropped outside: its drop may come back.
                return Err(future);
            }
            let index = inner.free.pop().unwrap_or_else(|| {
                inner.slots.push(None);
                inner.slots.len() - 1
            });
            let task = Task::new(index, queue);
            if let Some(place) = inner.slots.get_mut(index) {
                *place = Some(Slot { task: task.clone(), future: Some(future) });
            }
            Ok(task)
        });
        kept.ok()
    }

    fn poll(&self, task: Arc<Task>) {
        let future = self.slot(&task, |slot, _| slot.as_mut().and_then(|slot| slot.future.take()));
        let Some(mut future) = future.flatten() else { return };
        let waker = Waker::from(task.clone());
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            let mut future = Some(future);
            self.slot(&task, |slot, _| {
                if let Some(slot) = slot {
                    slot.future = future.take();
                }
            });
            // What has no slot any more is dropped here, outside.
            return;
        }
        drop(future);
        let slot = self.slot(&task, |slot, free| {
            free.push(task.index);
            slot.take()
        });
        drop(slot);
    }

    fn close(&self) {
        let slots = self.inner(|inner| {
            inner.limit = 0;
            inner.free = Vec::new();
            core::mem::take(&mut inner.slots)
        });
        // Outside: their drops may come back.
        drop(slots);
    }
}
