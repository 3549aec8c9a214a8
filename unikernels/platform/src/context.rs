//! What the platform lends an application beside its devices.

#[cfg(feature = "network")]
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::cell::OnceCell;
use core::fmt;
use core::future::Future;
use core::net::SocketAddr;

use mirage_clock::{Duration, Instant, Monotonic, Sleep, Timestamp, Wall};

use crate::Exit;
use crate::cell::made;
use crate::executor::{Executor, Spawner, Timer, TooManyTasks};
use crate::network::{Reach, Service};
use crate::stats::Stats;
use crate::target::{Counted, Machine};
use crate::text::Line;

/// What the platform lends an application beside its devices. A handle: clones are the same.
///
/// It lives as long as the image, which has one: there is nothing to count and nothing to free.
#[derive(Clone)]
pub struct Context(&'static Inner);

struct Inner {
    machine: Machine,
    max_tasks: usize,
    /// Made when it is first asked for.
    running: OnceCell<Running>,
    /// Set once there is a network: how it is reached and what it counts.
    network: OnceCell<(Reach, Counted)>,
}

/// The run loop.
struct Running {
    #[cfg_attr(not(feature = "network"), allow(dead_code, reason = "there is no boot code without a target"))]
    executor: Executor,
    spawner: Spawner,
    timer: Timer,
}

impl Context {
    /// A context without a network, for at most `max_tasks` tasks.
    #[cfg(feature = "network")]
    pub(crate) fn new(machine: Machine, max_tasks: usize) -> Self {
        let (running, network) = (OnceCell::new(), OnceCell::new());
        Self(Box::leak(Box::new(Inner { machine, max_tasks, running, network })))
    }

    /// The same with a network: how it is reached and what it counts. Only the first counts.
    #[cfg(feature = "network")]
    #[must_use]
    pub(crate) fn with_network(self, reach: Reach, stats: Counted) -> Self {
        let _ = self.0.network.set((reach, stats));
        self
    }

    /// The machine.
    #[cfg(feature = "network")]
    pub(crate) const fn machine(&self) -> &'static Machine {
        &self.0.machine
    }

    /// The run loop.
    #[cfg(feature = "network")]
    pub(crate) fn executor(&self) -> &'static Executor {
        &self.running().executor
    }

    fn running(&self) -> &'static Running {
        let Inner { machine, max_tasks, running, .. } = self.0;
        made(running, || {
            let executor = Executor::new(machine.park(), *max_tasks);
            Running { spawner: executor.spawner(), timer: executor.timer(), executor }
        })
    }

    /// Starts a task beside this one.
    ///
    /// # Errors
    /// [`TooManyTasks`] when the image's bound is reached; the future is dropped.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Result<(), TooManyTasks> {
        self.running().spawner.spawn(task)
    }

    /// The timer, for libraries that take one.
    pub fn timer(&self) -> &Timer {
        &self.running().timer
    }

    /// The time since the clock's start.
    pub fn now(&self) -> Instant {
        self.running().timer.now()
    }

    /// Waits for `span`.
    pub async fn sleep(&self, span: Duration) {
        self.running().timer.sleep_until(self.now() + span).await;
    }

    /// Prints one line on the console.
    pub fn print(&self, line: &str) {
        Machine::print(line);
    }

    /// Prints one line that is put together from `parts`, cut at 512 bytes.
    pub fn print_all(&self, parts: &[&str]) {
        Machine::print(Line::new().put_all(parts).as_str());
    }

    /// Says in one line where errors go why the application cannot go on, `who: why`, and gives the exit code for that.
    pub fn fail(&self, who: &str, why: &dyn fmt::Display) -> Exit {
        complain(who, why);
        Exit::FAILURE
    }

    /// Bytes of the image's heap that nobody uses now: at its start an application fits to it what strangers can make it
    /// hold. `None` where memory is the host's to give.
    ///
    /// The stack of a [`Networked`](crate::Networked) application has taken what it will ever take.
    pub fn free_memory(&self) -> Option<usize> {
        Machine::free_memory()
    }

    /// Where somebody outside reaches `service`, as far as the platform knows.
    #[inline]
    pub fn outside(&self, service: Service) -> Option<SocketAddr> {
        self.0.network.get()?.0.outside(service)
    }

    /// The same as text, like `10.0.0.2:80`.
    pub fn outside_text(&self, service: Service) -> Option<String> {
        // Each family by itself: an image, which has one, is spared the other's text.
        Some(match self.outside(service)? {
            SocketAddr::V4(place) => Line::new().place(place).as_str().into(),
            SocketAddr::V6(place) => place.to_string(),
        })
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
        visit("platform.tasks", self.running().spawner.tasks() as u64);
        visit("platform.timers", self.running().timer.pending() as u64);
        if let Some((_, stats)) = self.0.network.get() {
            Stats::each(stats, visit);
        }
    }
}

/// Says in one line why there is nothing to run. What a stranger typed may be in it, so no control character is shown.
#[cold]
#[inline(never)]
pub(crate) fn complain(who: &str, why: &dyn fmt::Display) {
    Machine::complain(Line::new().put(who).put(": ").show(why).as_str());
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

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("reach", &self.0.network.get().map(|(reach, _)| reach)).finish_non_exhaustive()
    }
}
