//! The queue of established connections that wait at a listener for `accept`.

use crate::identifier::NONE;
use crate::ready::Place;
use crate::{Profile, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Puts an established connection at the end of its listener's queue and wakes those who wait there.
    pub(crate) fn enqueue_accepted(&mut self, index: u32, listener: u32) {
        let Some(door) = self.listeners.get_mut(listener as usize) else { return };
        let tail = core::mem::replace(&mut door.queue.tail, index);
        if tail == NONE {
            door.queue.head = index;
        }
        door.queued += 1;
        self.resources.wakers.wake(&mut door.waiting);
        if let Some(before) = self.connections.get_mut(tail as usize) {
            before.queue.next = index;
        }
        if let Some(slot) = self.connections.get_mut(index as usize) {
            slot.queue = Place { previous: tail, next: NONE };
            slot.listener = listener;
        }
    }

    /// Takes a connection out of its listener's queue, wherever it is.
    pub(crate) fn dequeue_accepted(&mut self, index: u32) {
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        let place = core::mem::take(&mut slot.queue);
        let listener = core::mem::replace(&mut slot.listener, NONE);
        if !place.is_listed() {
            return;
        }
        let Place { previous, next } = place;
        let Some(door) = self.listeners.get_mut(listener as usize) else { return };
        door.queued -= 1;
        match self.connections.get_mut(previous as usize) {
            Some(before) => before.queue.next = next,
            None => door.queue.head = next,
        }
        match self.connections.get_mut(next as usize) {
            Some(behind) => behind.queue.previous = previous,
            None => door.queue.tail = previous,
        }
    }
}
