//! What the guest waits in: an epoll set over its network devices and a timer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

/// What the guest sees in the epoll set when its timer fires; every other number is a device's handle.
const TIMER: u64 = 0xffff_fffe;

pub(crate) struct Descriptors {
    pub(crate) epoll: OwnedFd,
    pub(crate) timer: OwnedFd,
}

impl Descriptors {
    /// A set over `nets`, each with its handle.
    pub(crate) fn new<'a>(nets: impl Iterator<Item = (u64, BorrowedFd<'a>)>) -> io::Result<Self> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        epoll::add(&set, timer.as_fd(), EventData::new_u64(TIMER), EventFlags::IN)?;
        for (handle, net) in nets {
            epoll::add(&set, net, EventData::new_u64(handle), EventFlags::IN)?;
        }
        Ok(Self { epoll: set, timer })
    }
}
