//! epoll, edge-triggered: a descriptor is registered once, for both directions.

use std::cell::RefCell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Waker;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::reactor::slots::{Ready, Slots, Token};

/// Events taken by one system call; the kernel keeps the rest and lets nobody starve.
const EVENTS: usize = 256;

pub(in crate::reactor) struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub(in crate::reactor) fn new(interrupted: impl AsFd) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let data = epoll::EventData::new_u64(Token::INTERRUPT.to_bits());
        epoll::add(&epoll, interrupted, data, epoll::EventFlags::IN)?;
        Ok(Self { epoll })
    }

    pub(in crate::reactor) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        Ok(epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token.to_bits()), flags)?)
    }

    pub(in crate::reactor) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Waits and moves the wakers of those who can go on to `woken`.
    pub(in crate::reactor) fn wait(
        &self,
        timeout: Option<&Timespec>,
        slots: &RefCell<Slots>,
        woken: &mut Vec<Waker>,
    ) -> io::Result<()> {
        let mut events = [const { MaybeUninit::uninit() }; EVENTS];
        let events = match epoll::wait(&self.epoll, &mut events, timeout) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut slots = slots.borrow_mut();
        for event in events {
            let broken = epoll::EventFlags::ERR | epoll::EventFlags::HUP;
            let (flags, bits) = (event.flags, event.data.u64());
            let ready = Ready {
                read: flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP | broken),
                write: flags.intersects(epoll::EventFlags::OUT | broken),
            };
            slots.take(Token::from_bits(bits), ready, woken);
        }
        Ok(())
    }
}
