//! `poll`, for systems without epoll: the list is made anew for each wait, of those somebody waits for.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::task::Waker;

use mirage_clock::{Duration, Monotonic as _};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Until;
use crate::MonotonicClock;
use crate::reactor::slots::{Ready, Slots, Token};

pub(in crate::reactor) struct Poller {
    interrupted: OwnedFd,
}

impl Poller {
    pub(in crate::reactor) fn new(interrupted: impl AsFd) -> io::Result<Self> {
        Ok(Self { interrupted: interrupted.as_fd().try_clone_to_owned()? })
    }

    /// Nothing to do: the slots know.
    pub(in crate::reactor) fn add(&self, _fd: BorrowedFd<'_>, _token: Token) -> io::Result<()> {
        Ok(())
    }

    /// Nothing to do: the slots know.
    pub(in crate::reactor) fn add_write(&self, _fd: BorrowedFd<'_>, _token: Token) -> io::Result<()> {
        Ok(())
    }

    /// Nothing to do: the slots know.
    pub(in crate::reactor) fn remove(&self, _fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Waits and moves the wakers of those who can go on to `woken`.
    pub(in crate::reactor) fn wait(
        &self,
        until: Until,
        slots: &RefCell<Slots>,
        woken: &mut Vec<Waker>,
    ) -> io::Result<()> {
        let waiting: Vec<(Token, Rc<dyn AsFd>, Ready)> =
            slots.borrow().waiting().map(|(token, fd, ready)| (token, fd.clone(), ready)).collect();
        let mut fds = vec![PollFd::new(&self.interrupted, PollFlags::IN)];
        fds.extend(waiting.iter().map(|(_, fd, ready)| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, ready.read);
            flags.set(PollFlags::OUT, ready.write);
            PollFd::from_borrowed_fd(fd.as_fd(), flags)
        }));
        match poll(&mut fds, timeout(until).as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let mut slots = slots.borrow_mut();
        for ((token, ..), fd) in waiting.iter().zip(fds.iter().skip(1)) {
            let flags = fd.revents();
            let broken = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
            let ready = Ready {
                read: flags.intersects(PollFlags::IN | broken),
                write: flags.intersects(PollFlags::OUT | broken),
            };
            slots.take(*token, ready, woken);
        }
        Ok(())
    }
}

/// What the system's call is told.
fn timeout(until: Until) -> Option<Timespec> {
    match until {
        Until::Now => Some(timespec(Duration::ZERO)),
        Until::Time(deadline) => Some(timespec(deadline - MonotonicClock.now())),
        Until::Ready => None,
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
