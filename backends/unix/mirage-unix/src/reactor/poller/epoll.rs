//! epoll, edge-triggered: a descriptor is registered once for reading, and once more when somebody waits to write. Most are
//! writable all the time, and would be told of as that whenever something else makes the kernel look.
//!
//! Deadlines are a timer that stays as it is while it is early enough. A timeout would be set up and taken down by each
//! wait, and where it is due before the kernel's next tick the processor's own timer with it, which in a virtual machine
//! means to leave it twice.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::Waker;

use mirage_clock::Instant;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};

use super::Until;
use crate::reactor::slots::{Ready, Slots, Token};

/// Events taken by one system call; the kernel keeps the rest and lets nobody starve.
const EVENTS: usize = 256;

/// What a descriptor is registered for at first.
const READ: epoll::EventFlags = epoll::EventFlags::IN.union(epoll::EventFlags::RDHUP).union(epoll::EventFlags::ET);

pub(in crate::reactor) struct Poller {
    epoll: OwnedFd,
    timer: OwnedFd,
    /// When the timer will end a wait; `None` when it will not, having done so.
    armed: Cell<Option<Instant>>,
}

impl Poller {
    pub(in crate::reactor) fn new(interrupted: impl AsFd) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let data = epoll::EventData::new_u64(Token::INTERRUPT.to_bits());
        epoll::add(&epoll, interrupted, data, epoll::EventFlags::IN)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let data = epoll::EventData::new_u64(Token::TIMER.to_bits());
        epoll::add(&epoll, &timer, data, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
        Ok(Self { epoll, timer, armed: Cell::new(None) })
    }

    pub(in crate::reactor) fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token.to_bits()), READ)?)
    }

    /// From now on it is told when there is room to write, too; also when there is now.
    pub(in crate::reactor) fn add_write(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let flags = READ | epoll::EventFlags::OUT;
        Ok(epoll::modify(&self.epoll, fd, epoll::EventData::new_u64(token.to_bits()), flags)?)
    }

    pub(in crate::reactor) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Waits and moves the wakers of those who can go on to `woken`.
    pub(in crate::reactor) fn wait(
        &self,
        until: Until,
        slots: &RefCell<Slots>,
        woken: &mut Vec<Waker>,
    ) -> io::Result<()> {
        let timeout = match until {
            Until::Now => Some(&Timespec { tv_sec: 0, tv_nsec: 0 }),
            Until::Time(deadline) => {
                self.arm(deadline)?;
                None
            }
            Until::Ready => None,
        };
        let mut events = [const { MaybeUninit::uninit() }; EVENTS];
        let events = match epoll::wait(&self.epoll, &mut events, timeout) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut slots = slots.borrow_mut();
        for event in events {
            let broken = epoll::EventFlags::ERR | epoll::EventFlags::HUP;
            let (flags, token) = (event.flags, Token::from_bits(event.data.u64()));
            if token == Token::TIMER {
                self.armed.set(None);
                continue;
            }
            let ready = Ready {
                read: flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP | broken),
                write: flags.intersects(epoll::EventFlags::OUT | broken),
            };
            slots.take(token, ready, woken);
        }
        Ok(())
    }

    /// Sees to it that a wait ends at `deadline` or before. Ticks need not be read: setting the timer takes them away, and
    /// each makes an edge.
    fn arm(&self, deadline: Instant) -> io::Result<()> {
        if self.armed.get().is_some_and(|armed| armed <= deadline) {
            return Ok(());
        }
        // A time of zero would switch the timer off.
        let nanos = deadline.as_nanos().max(1);
        let value = Timespec { tv_sec: (nanos / 1_000_000_000) as _, tv_nsec: (nanos % 1_000_000_000) as _ };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once)?;
        self.armed.set(Some(deadline));
        Ok(())
    }
}
