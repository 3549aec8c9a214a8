//! Starting tasks.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::task::Wake;
use core::fmt;
use core::future::Future;

use super::Core;
use super::tasks::{Boxed, Table, Tasks};
use crate::cell::made;

/// Starts tasks. A handle: clones start them in the same executor.
#[derive(Clone)]
pub struct Spawner(Rc<Core>);

/// The executor holds as many tasks as it may: let one end, or give it a larger bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyTasks;

impl fmt::Display for TooManyTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many tasks")
    }
}

impl core::error::Error for TooManyTasks {}

impl Spawner {
    pub(super) fn new(core: Rc<Core>) -> Self {
        Self(core)
    }

    /// Starts `task`; it is first polled after the current one.
    ///
    /// # Errors
    /// [`TooManyTasks`] at the executor's bound; `task` is dropped.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Result<(), TooManyTasks> {
        self.start(Box::pin(task))
    }

    /// The same for a task of whatever type: one piece of code.
    #[inline(never)]
    fn start(&self, task: Boxed) -> Result<(), TooManyTasks> {
        let tasks = made(&self.0.tasks, || Box::new(Table::new(self.0.max_tasks)));
        tasks.insert(task, &self.0.ready).ok_or(TooManyTasks)?.wake();
        Ok(())
    }

    /// How many tasks there are now.
    pub fn tasks(&self) -> usize {
        self.0.tasks().map_or(0, Tasks::len)
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}
