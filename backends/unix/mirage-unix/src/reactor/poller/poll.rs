//! `poll`, for systems without epoll: the list is made anew for each wait, of those somebody waits for.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::task::Waker;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

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
    pub(in crate::reactor) fn remove(&self, _fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Waits and moves the wakers of those who can go on to `woken`.
    pub(in crate::reactor) fn wait(
        &self,
        timeout: Option<&Timespec>,
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
        match poll(&mut fds, timeout) {
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
