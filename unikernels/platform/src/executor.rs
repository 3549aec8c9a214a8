//! The run loop: one thread, tasks of any number up to a bound, timers, and a place to wait when nothing is to do.
//!
//! ```
//! use mirage_clock::{Duration, Sleep};
//! # use mirage_clock::Instant;
//! use mirage_platform::executor::{Executor, Park};
//! # struct Standstill(std::cell::Cell<Instant>);
//! # impl Park for Standstill {
//! #     fn now(&self) -> Instant { self.0.get() }
//! #     fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool) {
//! #         if idle() { self.0.set(until.expect("something is to come")); }
//! #     }
//! #     fn unparker(&self) -> Box<dyn Fn() + Send + Sync> { Box::new(|| {}) }
//! # }
//! # let machine = Standstill(Instant::ZERO.into());
//!
//! // `machine` knows the time and how to sleep.
//! let executor = Executor::new(machine, 100);
//! let timer = executor.timer();
//! let minutes = executor.block_on(async {
//!     timer.sleep_until(mirage_clock::Instant::ZERO + Duration::from_secs(180)).await;
//!     3
//! });
//! assert_eq!(minutes, 3);
//! ```

mod deadlines;
mod park;
mod permits;
mod ready;
mod spawner;
mod tasks;
mod timer;
mod yield_now;

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::{Cell, OnceCell};
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::Instant;
pub use park::Park;
pub use permits::{Permit, Permits};
use ready::{ReadyQueue, Task};
pub use spawner::{Spawner, TooManyTasks};
use tasks::Tasks;
use timer::Timers;
pub use timer::{SleepUntil, Timer};
pub use yield_now::yield_now;

/// Tasks polled before the machine is looked at again, so that busy tasks do not starve devices and timers.
const POLLS_BETWEEN_LOOKS: u32 = 64;

/// Runs tasks on one thread.
///
/// Waking a task costs a constant number of instructions and no allocation, from any thread. A task that panics takes the
/// image with it.
pub struct Executor {
    core: Rc<Core>,
}

/// What the executor shares with its handles.
struct Core {
    park: Box<dyn Park>,
    ready: Arc<ReadyQueue>,
    /// Made when the first task is started.
    tasks: OnceCell<Box<dyn Tasks>>,
    max_tasks: usize,
    /// Made when somebody first waits for a time.
    timers: OnceCell<Box<dyn Timers>>,
    /// The time when timers were last looked at.
    looked: Cell<Instant>,
}

impl Core {
    fn tasks(&self) -> Option<&dyn Tasks> {
        self.tasks.get().map(|tasks| &**tasks)
    }

    fn timers(&self) -> Option<&dyn Timers> {
        self.timers.get().map(|timers| &**timers)
    }
}

impl Executor {
    /// An executor that waits in `park` and holds at most `max_tasks` tasks, the one of
    /// [`block_on`](Self::block_on) not counted.
    pub fn new(park: impl Park + 'static, max_tasks: usize) -> Self {
        let ready = Arc::new(ReadyQueue::new(park.unparker()));
        let (tasks, timers) = (OnceCell::new(), OnceCell::new());
        let looked = Cell::new(park.now());
        Self { core: Rc::new(Core { park: Box::new(park), ready, tasks, max_tasks, timers, looked }) }
    }

    /// A handle that starts tasks.
    pub fn spawner(&self) -> Spawner {
        Spawner::new(self.core.clone())
    }

    /// A handle that waits for a time.
    pub fn timer(&self) -> Timer {
        Timer::new(self.core.clone())
    }

    /// Runs all tasks until `future` is done. The others keep their state for the next call.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let core = &*self.core;
        let mut future = pin!(future);
        let main = Task::new(Task::MAIN, &core.ready);
        let waker = Waker::from(main.clone());
        waker.wake_by_ref();
        loop {
            let mut polls = 0;
            let mut output = None;
            while polls < POLLS_BETWEEN_LOOKS && !core.ready.is_empty() {
                for task in core.ready.take() {
                    polls += 1;
                    if !Arc::ptr_eq(&task, &main) {
                        if let Some(tasks) = core.tasks() {
                            tasks.poll(task);
                        }
                    } else if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        output = Some(done);
                    }
                }
                // Not inside the loop: the rest of what was taken would be forgotten.
                if let Some(output) = output {
                    return output;
                }
            }
            let idle = || core.ready.is_empty();
            core.park.park(core.timers().and_then(Timers::earliest), &idle);
            if let Some(timers) = core.timers() {
                let now = core.park.now();
                core.looked.set(now);
                timers.fire(now);
            }
        }
    }
}

impl Drop for Executor {
    /// Drops every task, and those they start while they are dropped not at all.
    fn drop(&mut self) {
        if let Some(tasks) = self.core.tasks() {
            tasks.close();
        }
        drop(self.core.ready.take());
    }
}

impl core::fmt::Debug for Executor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Executor").field("tasks", &self.core.tasks().map_or(0, Tasks::len)).finish_non_exhaustive()
    }
}
