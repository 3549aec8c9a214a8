//! Waiting for many descriptors.

use std::task::Poll;

use libc::c_int;

use crate::errno::{Answer, Errno};
use crate::socket::Descriptor;
use crate::world::World;

/// What an epoll instance wants to know of a descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest {
    /// `EPOLL…`.
    pub(crate) events: u32,
    pub(crate) data: u64,
    /// What was told last, for those that want to be told of changes alone.
    told: u32,
    /// How many bytes had come then.
    received: u64,
}

impl World {
    pub(crate) fn epoll_create(&mut self) -> Answer<c_int> {
        self.add(Descriptor::Epoll(Default::default()))
    }

    pub(crate) fn epoll_ctl(
        &mut self,
        epoll: c_int,
        operation: c_int,
        fd: c_int,
        event: Option<(u32, u64)>,
    ) -> Answer<()> {
        if !self.descriptors.contains_key(&fd) {
            return Err(Errno(libc::EBADF));
        }
        let watched = self.watched(epoll)?;
        match (operation, event) {
            (libc::EPOLL_CTL_DEL, _) => watched.remove(&fd).map(drop).ok_or(Errno(libc::ENOENT)),
            (libc::EPOLL_CTL_ADD, Some(_)) if watched.contains_key(&fd) => Err(Errno(libc::EEXIST)),
            (libc::EPOLL_CTL_MOD, Some(_)) if !watched.contains_key(&fd) => Err(Errno(libc::ENOENT)),
            (libc::EPOLL_CTL_ADD | libc::EPOLL_CTL_MOD, Some((events, data))) => {
                watched.insert(fd, Interest { events, data, told: 0, received: 0 });
                Ok(())
            }
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    /// Up to `most` descriptors that are ready: for what, and their data.
    pub(crate) fn epoll_wait(&mut self, epoll: c_int, most: usize) -> Poll<Answer<Vec<(u32, u64)>>> {
        let watched: Vec<(c_int, Interest)> = match self.watched(epoll) {
            Ok(watched) => watched.iter().map(|(fd, interest)| (*fd, *interest)).collect(),
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mut found = Vec::new();
        for (fd, interest) in watched {
            // The bits of `poll` and `epoll` are the same.
            let ready = self.readiness(fd) as u32 & (interest.events | ALWAYS);
            let received = self.received(fd);
            let edge = interest.events & libc::EPOLLET as u32 != 0;
            let mut news = ready;
            if edge {
                let grown = received != interest.received;
                news &= !interest.told | if grown { libc::EPOLLIN as u32 } else { 0 };
            }
            let tell = news != 0 && found.len() < most;
            if let Ok(watched) = self.watched(epoll)
                && let Some(interest) = watched.get_mut(&fd)
            {
                interest.told &= ready;
                if tell {
                    interest.told = ready;
                    interest.received = received;
                    if interest.events & libc::EPOLLONESHOT as u32 != 0 {
                        interest.events = 0;
                    }
                }
            }
            if tell {
                found.push((ready, interest.data));
            }
        }
        if found.is_empty() { Poll::Pending } else { Poll::Ready(Ok(found)) }
    }

    fn watched(&mut self, epoll: c_int) -> Answer<&mut std::collections::BTreeMap<c_int, Interest>> {
        match self.descriptors.get_mut(&epoll) {
            Some(Descriptor::Epoll(watched)) => Ok(watched),
            Some(_) => Err(Errno(libc::EINVAL)),
            None => Err(Errno(libc::EBADF)),
        }
    }

    /// How many bytes have come.
    fn received(&mut self, fd: c_int) -> u64 {
        let Ok((taken, Some(id))) = self.socket(fd).map(|socket| (socket.taken, socket.connection())) else { return 0 };
        taken + self.stack().tcp.info(id).map_or(0, |info| u64::from(info.receive_queued))
    }
}

/// What is always told.
const ALWAYS: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
