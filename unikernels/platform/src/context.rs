//! What the platform lends an application beside its devices.

use alloc::rc::Rc;
use core::future::Future;
use core::net::SocketAddr;

use mirage_clock::{Duration, Instant, Monotonic, Sleep, Timestamp, Wall};

use crate::executor::{Spawner, Timer, TooManyTasks};
use crate::network::{Reach, Service};
use crate::stats::Stats;

/// What the platform lends an application beside its devices. A handle: clones are the same.
#[derive(Clone)]
pub struct Context {
    spawner: Spawner,
    timer: Timer,
    reach: Reach,
    stats: Rc<dyn Stats>,
    console: fn(&str),
    wall: fn() -> Option<Timestamp>,
}

impl Context {
    /// A context as the boot code of a target makes it: `console` prints one line, `wall` tells the time of day.
    pub fn new(spawner: Spawner, timer: Timer, console: fn(&str), wall: fn() -> Option<Timestamp>) -> Self {
        Self { spawner, timer, reach: Reach::default(), stats: Rc::new(()), console, wall }
    }

    /// The same with a network: how it is reached and what it counts.
    #[must_use]
    pub fn with_network(self, reach: Reach, stats: Rc<dyn Stats>) -> Self {
        Self { reach, stats, ..self }
    }

    /// Starts a task beside this one.
    ///
    /// # Errors
    /// [`TooManyTasks`] when the image's bound is reached; the future is dropped.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Result<(), TooManyTasks> {
        self.spawner.spawn(task)
    }

    /// The timer, for libraries that take one.
    pub const fn timer(&self) -> &Timer {
        &self.timer
    }

    /// The time since the clock's start.
    pub fn now(&self) -> Instant {
        self.timer.now()
    }

    /// Waits for `span`.
    pub async fn sleep(&self, span: Duration) {
        self.timer.sleep_until(self.now() + span).await;
    }

    /// Prints one line on the console.
    pub fn print(&self, line: &str) {
        (self.console)(line);
    }

    /// Where somebody outside reaches `service`, as far as the platform knows.
    pub fn outside(&self, service: Service) -> Option<SocketAddr> {
        self.reach.outside(service)
    }

    /// Shows every number that the platform and the network count.
    pub fn stats(&self, visit: &mut dyn FnMut(&str, u64)) {
        visit("platform.tasks", self.spawner.tasks() as u64);
        visit("platform.timers", self.timer.pending() as u64);
        self.stats.each(visit);
    }
}

/// The time of day, where the machine knows it.
impl Wall for Context {
    fn timestamp(&self) -> Option<Timestamp> {
        (self.wall)()
    }

    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl core::fmt::Debug for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context").field("reach", &self.reach).finish_non_exhaustive()
    }
}
