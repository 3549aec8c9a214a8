//! Where the executor of a process waits.

use alloc::boxed::Box;

use mirage_clock::{Instant, Monotonic};
use mirage_unix::{MonotonicClock, Reactor};

use crate::executor::Park;

/// Waits in the reactor.
pub(super) struct Host {
    pub(super) reactor: Reactor,
}

impl Park for Host {
    fn now(&self) -> Instant {
        MonotonicClock.now()
    }

    fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool) {
        self.reactor.wait_while(until, idle).expect("epoll fails only for a descriptor that is not one");
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        let interrupt = self.reactor.interrupt();
        Box::new(move || interrupt.interrupt())
    }
}
