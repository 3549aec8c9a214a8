//! What the platform lends an application beside its devices.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::future::Future;
use core::net::SocketAddr;

use mirage_clock::{Duration, Instant, Monotonic, Sleep, Timestamp, Wall};

use crate::executor::{Spawner, Timer, TooManyTasks};
use crate::network::{Reach, Service};
use crate::stats::Stats;
use crate::target::Machine;

/// What the platform lends an application beside its devices. A handle: clones are the same.
///
/// It lives as long as the image, which has one: there is nothing to count and nothing to free.
#[derive(Clone, Copy)]
pub struct Context(&'static Inner);

struct Inner {
    spawner: Spawner,
    timer: Timer,
    reach: Reach,
    stats: Rc<dyn Stats>,
    machine: Machine,
}

impl Context {
    /// A context without a network.
    #[cfg(feature = "network")]
    pub(crate) fn new(spawner: Spawner, timer: Timer, machine: Machine) -> Self {
        let (reach, stats) = (Reach::default(), Rc::new(()));
        Self(Box::leak(Box::new(Inner { spawner, timer, reach, stats, machine })))
    }

    /// The same with a network: how it is reached and what it counts.
    #[cfg(feature = "network")]
    #[must_use]
    pub(crate) fn with_network(self, reach: Reach, stats: Rc<dyn Stats>) -> Self {
        let Inner { spawner, timer, machine, .. } = self.0;
        let (spawner, timer, machine) = (spawner.clone(), timer.clone(), machine.clone());
        Self(Box::leak(Box::new(Inner { spawner, timer, reach, stats, machine })))
    }

    /// Starts a task beside this one.
    ///
    /// # Errors
    /// [`TooManyTasks`] when the image's bound is reached; the future is dropped.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Result<(), TooManyTasks> {
        self.0.spawner.spawn(task)
    }

    /// The timer, for libraries that take one.
    pub const fn timer(&self) -> &Timer {
        &self.0.timer
    }

    /// The time since the clock's start.
    pub fn now(&self) -> Instant {
        self.0.timer.now()
    }

    /// Waits for `span`.
    pub async fn sleep(&self, span: Duration) {
        self.0.timer.sleep_until(self.now() + span).await;
    }

    /// Prints one line on the console.
    pub fn print(&self, line: &str) {
        Machine::print(line);
    }

    /// Where somebody outside reaches `service`, as far as the platform knows.
    pub fn outside(&self, service: Service) -> Option<SocketAddr> {
        self.0.reach.outside(service)
    }

    /// The block device `name`, one of [`App::DEVICES`](crate::App::DEVICES).
    ///
    /// # Errors
    /// [`DeviceError`](crate::DeviceError): it is missing, in use or does not work.
    #[cfg(feature = "network")]
    pub fn disk(&self, name: &str) -> Result<crate::Disk, crate::DeviceError> {
        self.0.machine.block(name).map(crate::Disk)
    }

    /// The network device `name`, one of [`App::DEVICES`](crate::App::DEVICES): for a stack of the application's own.
    ///
    /// # Errors
    /// As for [`disk`](Self::disk).
    #[cfg(feature = "network")]
    pub fn nic(&self, name: &str) -> Result<crate::Nic, crate::DeviceError> {
        self.0.machine.net(name)
    }

    /// Shows every number that the platform and the network count.
    pub fn stats(&self, visit: &mut dyn FnMut(&str, u64)) {
        visit("platform.tasks", self.0.spawner.tasks() as u64);
        visit("platform.timers", self.0.timer.pending() as u64);
        self.0.stats.each(visit);
    }
}

/// The time of day, where the machine knows it.
impl Wall for Context {
    fn timestamp(&self) -> Option<Timestamp> {
        Machine::wall()
    }

    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl core::fmt::Debug for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context").field("reach", &self.0.reach).finish_non_exhaustive()
    }
}
