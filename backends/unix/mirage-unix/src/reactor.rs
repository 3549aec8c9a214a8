//! Waiting for file descriptors and deadlines at once.

mod interrupt;
mod poller;
mod registered;
mod slots;

use std::cell::RefCell;
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::task::Waker;

use mirage_clock::{Duration, Instant, Monotonic};
use rustix::event::Timespec;

use crate::MonotonicClock;
pub use interrupt::Interrupt;
use poller::Poller;
pub use registered::Registered;
use slots::{Slots, Token};

/// Which way a descriptor is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Until there is something to read, to accept, or an end.
    Read,
    /// Until there is room to write, or a connection is made.
    Write,
}

/// Waits for file descriptors, deadlines and interruptions, and wakes tasks. A handle: clones are the same reactor.
///
/// It belongs to one thread; only its [`Interrupt`] may leave it.
#[derive(Clone)]
pub struct Reactor(Rc<Inner>);

struct Inner {
    poller: Poller,
    slots: RefCell<Slots>,
    interrupt: Interrupt,
    interrupted: UnixStream,
    /// Reused by each `wait`, so that waiting allocates nothing once it has grown.
    woken: RefCell<Vec<Waker>>,
}

impl Reactor {
    /// A reactor that waits for nothing yet.
    ///
    /// # Errors
    /// When the process may not open four more descriptors.
    pub fn new() -> io::Result<Self> {
        let (interrupt, interrupted) = Interrupt::pair()?;
        let poller = Poller::new(&interrupted)?;
        let slots = RefCell::new(Slots::default());
        Ok(Self(Rc::new(Inner { poller, slots, interrupt, interrupted, woken: RefCell::default() })))
    }

    /// Waits until a registered descriptor is ready, the interrupt is used or `deadline` has passed, and wakes the
    /// tasks concerned. Says how many tasks were woken; 0 is no error. `None` waits without end, a deadline in the past
    /// only looks, and one that is more than a day away ends the wait after a day.
    ///
    /// # Errors
    /// Those of the kernel; a signal is not one.
    pub fn wait(&self, deadline: Option<Instant>) -> io::Result<usize> {
        self.wait_while(deadline, || true)
    }

    /// Like [`wait`](Self::wait), but only looks when `idle` says that there is work after all.
    ///
    /// `idle` is asked once, after the [`Interrupt`] was armed: whatever another thread hands over before is seen by
    /// `idle`, whatever it hands over later ends the wait. So no wake-up is lost, and none costs a system call while
    /// the reactor's own thread is awake.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait).
    pub fn wait_while(&self, deadline: Option<Instant>, idle: impl FnOnce() -> bool) -> io::Result<usize> {
        let inner = &*self.0;
        inner.interrupt.arm();
        let timeout =
            if idle() { deadline.map(|deadline| deadline - MonotonicClock.now()) } else { Some(Duration::ZERO) };
        let mut woken = inner.woken.take();
        let result = inner.poller.wait(timeout.map(timespec).as_ref(), &inner.slots, &mut woken);
        if inner.interrupt.disarm() {
            interrupt::drain(&inner.interrupted);
        }
        let count = woken.len();
        // Wakers are foreign code that may come back to this reactor: nothing is borrowed here.
        woken.drain(..).for_each(Waker::wake);
        inner.woken.replace(woken);
        result.map(|()| count)
    }

    /// A handle that other threads and signal handlers end a [`wait`](Self::wait) with.
    pub fn interrupt(&self) -> Interrupt {
        self.0.interrupt.clone()
    }
}

impl core::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reactor").finish_non_exhaustive()
    }
}

/// Rounded up to microseconds, so that a timer is not woken early again and again, and at most a day: where the system's
/// call takes milliseconds in 32 bits, 25 days are refused, and a look around once a day costs nothing.
fn timespec(span: Duration) -> Timespec {
    let nanos = span.as_nanos().saturating_add(999) / 1_000 * 1_000;
    let seconds = (nanos / 1_000_000_000).min(24 * 3_600);
    Timespec { tv_sec: seconds as _, tv_nsec: (nanos % 1_000_000_000) as _ }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_longer_than_milliseconds_in_32_bits_can_say() {
        let longest = timespec(Duration::MAX);
        assert!((1..i64::from(i32::MAX) / 1_000).contains(&longest.tv_sec));
    }

    #[test]
    fn a_wait_is_never_too_short() {
        let wait = timespec(Duration::from_nanos(1_000_000_001));
        assert_eq!((wait.tv_sec, wait.tv_nsec), (1, 1_000));
    }
}
