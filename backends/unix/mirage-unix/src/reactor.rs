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

use mirage_clock::Instant;

pub use interrupt::Interrupt;
use poller::{Poller, Until};
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
    /// When the process may not open five more descriptors.
    pub fn new() -> io::Result<Self> {
        let (interrupt, interrupted) = Interrupt::pair()?;
        let poller = Poller::new(&interrupted)?;
        let slots = RefCell::new(Slots::default());
        Ok(Self(Rc::new(Inner { poller, slots, interrupt, interrupted, woken: RefCell::default() })))
    }

    /// Waits until a registered descriptor is ready, the interrupt is used or `deadline` has passed, and wakes the
    /// tasks concerned. Says how many tasks were woken; 0 is no error. `None` waits without end, a deadline in the past
    /// only looks. It may return early: on Linux a deadline that was waited for before and has become a later one still
    /// ends one wait, so that a deadline which every wait moves on costs no system call each time.
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
        let until = match deadline {
            _ if !idle() => Until::Now,
            Some(deadline) => Until::Time(deadline),
            None => Until::Ready,
        };
        let mut woken = inner.woken.take();
        let result = inner.poller.wait(until, &inner.slots, &mut woken);
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
