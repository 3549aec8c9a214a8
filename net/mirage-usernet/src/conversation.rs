//! Who talks to whom over UDP, and for how long it is remembered.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::net::SocketAddr;

use futures_util::future::AbortHandle;
use mirage_clock::{Duration, Instant};
use mirage_stack::{Error as _, ErrorKind, UdpSocket};

use crate::counters::Place;
use crate::time::Time;

/// Longest datagram there is.
pub(crate) const LONGEST: usize = 65_535;

/// Who began, and whom it believes to talk to.
pub(crate) type Ends = (SocketAddr, SocketAddr);

/// A conversation and the socket that it alone uses.
pub(crate) struct Conversation<'a, U> {
    pub(crate) ends: Ends,
    /// On the other side of the gateway than the one who began.
    pub(crate) socket: U,
    /// To whom `socket` talks.
    pub(crate) peer: SocketAddr,
    /// When something passed last, in either direction.
    pub(crate) active: Cell<Instant>,
    _place: Place<'a>,
}

impl<'a, U: UdpSocket> Conversation<'a, U> {
    /// One that `ends` began just now, whose `socket` talks to `peer`.
    pub(crate) fn new(ends: Ends, socket: U, peer: SocketAddr, now: Instant, place: Place<'a>) -> Self {
        Self { ends, socket, peer, active: Cell::new(now), _place: place }
    }

    /// Hands what comes back to `back` until the conversation was silent for `timeout`, or its socket breaks.
    pub(crate) async fn answers(&self, back: impl AsyncFn(&[u8]), timeout: Duration, time: &impl Time) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let deadline = self.active.get() + timeout;
            if time.now() >= deadline {
                return;
            }
            // It may have been extended meanwhile: the next turn looks.
            let Some(received) = time.until(deadline, self.socket.recv_from(&mut buffer)).await else { continue };
            match received.map_err(|error| error.kind()) {
                Ok(datagram) => {
                    self.active.set(time.now());
                    back(buffer.get(..datagram.len).unwrap_or(&buffer)).await;
                }
                // Nobody is there, says an ICMP error. Those who ask decide how often they ask again.
                Err(ErrorKind::ConnectionRefused) => log::debug!("{} refuses datagrams", self.peer),
                Err(reason) => {
                    log::debug!("the conversation of {} with {} breaks off: {reason}", self.ends.0, self.peer);
                    return;
                }
            }
        }
    }
}

/// The conversations of one direction, each with what ends its task. Few enough that looking at all of them costs less
/// than a system call.
pub(crate) struct Table<'a, U> {
    entries: RefCell<Vec<Entry<'a, U>>>,
    limit: usize,
}

type Entry<'a, U> = (Rc<Conversation<'a, U>>, AbortHandle);

impl<'a, U> Table<'a, U> {
    /// A table for `limit` conversations, at least one.
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: RefCell::default(), limit: limit.max(1) }
    }

    pub(crate) fn find(&self, ends: Ends) -> Option<Rc<Conversation<'a, U>>> {
        self.entries.borrow().iter().find(|(one, _)| one.ends == ends).map(|(one, _)| one.clone())
    }

    /// Remembers a conversation. When there are too many, the one that was silent longest is ended and given back; it
    /// has its socket until its task has run once more.
    pub(crate) fn insert(&self, one: Rc<Conversation<'a, U>>, end: AbortHandle) -> Option<Rc<Conversation<'a, U>>> {
        let mut entries = self.entries.borrow_mut();
        let silent = entries.iter().enumerate().min_by_key(|(_, (one, _))| one.active.get()).map(|(at, _)| at);
        let evicted = silent.filter(|_| entries.len() >= self.limit).map(|at| entries.swap_remove(at));
        entries.push((one, end));
        evicted.map(|(one, end)| {
            end.abort();
            one
        })
    }

    pub(crate) fn remove(&self, one: &Rc<Conversation<'a, U>>) {
        self.entries.borrow_mut().retain(|(other, _)| !Rc::ptr_eq(other, one));
    }
}
