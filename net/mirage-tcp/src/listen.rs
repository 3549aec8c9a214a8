//! The doors of the machine.

use core::net::IpAddr;
use core::num::NonZeroU16;
use core::task::{Context, Poll};

use mirage_stack::{ListenOptions, TcpOptions};
use mirage_waker::WaitList;

use crate::demux::Found;
use crate::identifier::NONE;
use crate::ready::Ends;
use crate::{ConnectionId, Error, FastOpen, ListenError, ListenerId, Profile, Tcp};

/// What a listener listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// One of our addresses, or `None` for all of them.
    pub address: Option<IpAddr>,
    /// A port, or `None` for every port on which nobody else listens: what a gateway does.
    pub port: Option<NonZeroU16>,
}

/// Room for one listener.
///
/// A clone is an empty slot: there is one only while storage is being made.
#[derive(Debug)]
pub struct ListenerSlot {
    generation: u32,
    /// The entry behind this one in its chain of the hash table, or the free slot behind this one.
    pub(crate) next: u32,
    /// `None` in a free slot.
    pub(crate) local: Option<Local>,
    pub(crate) options: TcpOptions,
    backlog: u32,
    /// How it takes data with the SYN, if it does.
    pub(crate) fast_open: Option<FastOpen>,
    /// Established connections that wait, oldest first, and how many.
    pub(crate) queue: Ends,
    pub(crate) queued: u32,
    /// Handshakes under way through it.
    pub(crate) half_open: u32,
    /// Tasks that wait for one.
    pub(crate) waiting: WaitList,
}

impl Default for ListenerSlot {
    fn default() -> Self {
        Self::unused(0, NONE)
    }
}

impl Clone for ListenerSlot {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl ListenerSlot {
    #[inline(never)]
    pub(crate) fn unused(generation: u32, next: u32) -> Self {
        Self {
            generation,
            next,
            local: None,
            options: TcpOptions::default(),
            backlog: 0,
            fast_open: None,
            queue: Ends::default(),
            queued: 0,
            half_open: 0,
            waiting: WaitList::EMPTY,
        }
    }

    /// Whether no further handshake may be remembered here.
    pub(crate) fn is_flooded(&self) -> bool {
        self.half_open >= self.backlog.max(LEAST_HALF_OPEN)
    }

    /// Its identifier, if it is in the slot `index`.
    #[inline]
    pub(crate) fn id(&self, index: u32) -> ListenerId {
        ListenerId { index, generation: self.generation }
    }

    /// Whether it is the listener `id` names.
    pub(crate) fn is(&self, id: ListenerId) -> bool {
        self.generation == id.generation && self.local.is_some()
    }

    /// Whether no further connection may wait.
    pub(crate) fn is_full(&self) -> bool {
        self.queued >= self.backlog
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Listens on `local`. Where several listeners fit a connection, the one that names its address and port has it, or
    /// else the one with its port, or else the one with its address, or else the one for everything.
    ///
    /// # Errors
    /// [`ListenError::AddressInUse`] when there is a listener on the very same; [`ListenError::OutOfListeners`].
    pub fn listen(&mut self, local: Local, options: ListenOptions) -> Result<ListenerId, ListenError> {
        if self.listeners.iter().any(|slot| slot.local == Some(local)) {
            return Err(ListenError::AddressInUse);
        }
        let index = self.free_listener;
        let Some(slot) = self.listeners.get_mut(index as usize) else { return Err(ListenError::OutOfListeners) };
        self.free_listener = slot.next;
        let generation = slot.generation;
        *slot = ListenerSlot::unused(generation, NONE);
        slot.local = Some(local);
        slot.options = options.tcp;
        slot.backlog = u32::try_from(options.backlog).unwrap_or(u32::MAX).max(1);
        self.link(Found::Listener(index));
        self.forget_listener();
        Ok(ListenerId { index, generation })
    }

    /// The oldest established connection that waits at a listener. Several tasks may wait at once.
    ///
    /// # Errors
    /// [`Error::Closed`] when there is no such listener (any more).
    pub fn poll_accept(&mut self, id: ListenerId, cx: &mut Context<'_>) -> Poll<Result<ConnectionId, Error>> {
        if self.listener(id).is_none() {
            return Poll::Ready(Err(Error::Closed));
        }
        let Some(slot) = self.listeners.get_mut(id.index as usize) else { return Poll::Ready(Err(Error::Closed)) };
        let index = slot.queue.head;
        let Some(connection) = self.connections.get(index as usize) else {
            self.resources.wakers.register(&mut slot.waiting, cx.waker());
            return Poll::Pending;
        };
        let generation = connection.generation;
        self.dequeue_accepted(index);
        Poll::Ready(Ok(ConnectionId { index, generation }))
    }

    /// What a listener listens on; `None` when there is no such listener (any more).
    pub fn listener_local(&self, id: ListenerId) -> Option<Local> {
        self.listener(id)?.local
    }

    /// Closes a listener. Connections that wait in its queue are reset, handshakes under way are forgotten, and tasks that
    /// wait for a connection are told [`Error::Closed`].
    pub fn close_listener(&mut self, id: ListenerId) {
        if self.listener(id).is_none() {
            return;
        }
        while let Some(index) = self.listener(id).map(|slot| slot.queue.head).filter(|&head| head != NONE) {
            self.dequeue_accepted(index);
            self.break_off(index);
        }
        self.unlink(Found::Listener(id.index));
        self.forget_listener();
        let free = self.free_listener;
        if let Some(slot) = self.listeners.get_mut(id.index as usize) {
            self.resources.wakers.wake(&mut slot.waiting);
            *slot = ListenerSlot::unused(slot.generation.wrapping_add(1), free);
            self.free_listener = id.index;
        }
    }

    pub(crate) fn listener(&self, id: ListenerId) -> Option<&ListenerSlot> {
        self.listeners.get(id.index as usize).filter(|slot| slot.generation == id.generation && slot.local.is_some())
    }

    /// The identifier of the listener in a slot.
    pub(crate) fn listener_id(&self, index: u32) -> ListenerId {
        let generation = self.listeners.get(index as usize).map_or(0, |slot| slot.generation);
        ListenerId { index, generation }
    }
}

/// How many handshakes may be under way through a listener however few connections may wait there.
const LEAST_HALF_OPEN: u32 = 16;
