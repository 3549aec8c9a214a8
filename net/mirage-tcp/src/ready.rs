//! The connections that have something to send, in the order in which their turn comes.

use crate::identifier::NONE;
use crate::{Profile, Tcp};

/// The ends of a list that runs through the connections. Invariant: both are `NONE` or neither.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) head: u32,
    pub(crate) tail: u32,
}

impl Default for Ends {
    fn default() -> Self {
        Self { head: NONE, tail: NONE }
    }
}

/// A connection's place in such a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The one before it, `NONE` for the first, or `UNLISTED`.
    pub(crate) previous: u32,
    pub(crate) next: u32,
}

/// What `previous` says of those that are in no list.
const UNLISTED: u32 = NONE - 1;

impl Place {
    /// Whether it is in the list.
    #[inline]
    pub(crate) fn is_listed(&self) -> bool {
        self.previous != UNLISTED
    }
}

impl Default for Place {
    fn default() -> Self {
        Self { previous: UNLISTED, next: NONE }
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Gives a connection its turn, behind those that wait already.
    #[inline(never)]
    pub(crate) fn make_ready(&mut self, index: u32) {
        let tail = self.ready.tail;
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        if slot.ready.is_listed() {
            return;
        }
        slot.ready = Place { previous: tail, next: NONE };
        match self.connections.get_mut(tail as usize) {
            Some(before) => before.ready.next = index,
            None => self.ready.head = index,
        }
        self.ready.tail = index;
    }

    /// The same from where it is not called for each segment.
    #[inline(never)]
    pub(crate) fn make_unready_elsewhere(&mut self, index: u32) {
        self.make_unready(index);
    }

    /// Takes a connection out of the list, wherever it is.
    pub(crate) fn make_unready(&mut self, index: u32) {
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        let place = core::mem::take(&mut slot.ready);
        if !place.is_listed() {
            return;
        }
        let Place { previous, next } = place;
        match self.connections.get_mut(previous as usize) {
            Some(before) => before.ready.next = next,
            None => self.ready.head = next,
        }
        match self.connections.get_mut(next as usize) {
            Some(behind) => behind.ready.previous = previous,
            None => self.ready.tail = previous,
        }
    }
}
