//! Where the executor of a process waits, and what its console is.

use alloc::boxed::Box;

use mirage_clock::{Instant, Monotonic};
use mirage_console::Console as _;
use mirage_unix::{Console, MonotonicClock, Reactor};

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

/// Prints one line. A console that nobody reads is no reason to stop.
pub(super) fn print(line: &str) {
    let _ = Console::stdout().write_line(line);
}

/// Prints one line where errors and logs go.
pub(super) fn complain(line: &str) {
    let _ = Console::stderr().write_line(line);
}
