//! A queue as the device sees it.

use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicU16, Ordering, fence};

use crate::layout::{DESCRIPTOR, Descriptor, NEXT, UsedEntry, WRITE};

/// Address, length and flags of a piece.
pub(super) type Seen = (u64, u32, u16);

/// A queue as the device sees it. All numbers wrap.
#[derive(Debug)]
pub(super) struct Ring {
    /// Most descriptors; 0 where there is no such queue.
    pub(super) most: u32,
    pub(super) size: u16,
    pub(super) descriptors: u64,
    pub(super) available: u64,
    pub(super) used: u64,
    /// Chains taken from the driver.
    pub(super) taken: u16,
    /// Chains given back, and how many of them the driver could know of when it was last told.
    pub(super) done: u16,
    pub(super) told: u16,
    pub(super) notifications: usize,
}

impl Ring {
    pub(super) fn new(most: u32) -> Self {
        Self { most, size: 0, descriptors: 0, available: 0, used: 0, taken: 0, done: 0, told: 0, notifications: 0 }
    }

    /// The next chain, if there is one.
    pub(super) fn next(&mut self) -> Option<(u16, Vec<Seen>)> {
        let index = self.number(self.available + 2).load(Ordering::Acquire);
        if index == self.taken {
            return None;
        }
        assert!(index.wrapping_sub(self.taken) <= self.size, "the driver added more than the ring holds");
        let head = self.number(self.available + 4 + 2 * self.slot(self.taken)).load(Ordering::Relaxed);
        self.taken = self.taken.wrapping_add(1);
        let mut pieces: Vec<Seen> = Vec::new();
        let mut at = head;
        loop {
            assert!(at < self.size && pieces.len() < usize::from(self.size), "a chain that leads out of the table");
            let place = self.descriptors + DESCRIPTOR as u64 * u64::from(at);
            // SAFETY: a descriptor of the driver's table: `Model` lets us look only while the driver has set the queue up.
            let Descriptor { address, len, flags, next } = unsafe { ptr::read_volatile(place as *const Descriptor) };
            assert!(len > 0 && address != 0, "an empty piece");
            let order = pieces.last().is_none_or(|(.., before)| before & WRITE <= flags & WRITE);
            assert!(order, "what is written comes after what is read");
            pieces.push((address, len, flags));
            if flags & NEXT == 0 {
                return Some((head, pieces));
            }
            at = next;
        }
    }

    /// Writes an entry of the used ring; the driver sees it with `publish`.
    pub(super) fn put(&mut self, id: u32, len: u32) {
        let place = self.used + 4 + 8 * self.slot(self.done);
        // SAFETY: as in `next`; a slot of the used ring.
        unsafe { ptr::write_volatile(place as *mut UsedEntry, UsedEntry { id, len }) };
        self.done = self.done.wrapping_add(1);
    }

    /// Shows the driver what was put; whether it wants an interrupt.
    pub(super) fn publish(&mut self, event_index: bool) -> bool {
        self.number(self.used + 2).store(self.done, Ordering::Release);
        fence(Ordering::SeqCst);
        let before = self.told;
        self.told = self.done;
        if event_index {
            let event = self.number(self.available + 4 + 2 * u64::from(self.size)).load(Ordering::Relaxed);
            // The device's half of the rule, written in its other form: was `event` one of the entries since then?
            (0..self.done.wrapping_sub(before)).any(|n| before.wrapping_add(n) == event)
        } else {
            self.done != before && self.number(self.available).load(Ordering::Relaxed) & 1 == 0
        }
    }

    /// Says whether the next chain shall be notified.
    pub(super) fn want(&self, wanted: bool, event_index: bool) {
        if event_index {
            let event = if wanted { self.taken } else { self.taken.wrapping_sub(1) };
            self.number(self.used + 4 + 8 * u64::from(self.size)).store(event, Ordering::Relaxed);
        } else {
            self.number(self.used).store(u16::from(!wanted), Ordering::Relaxed);
        }
    }

    fn slot(&self, index: u16) -> u64 {
        u64::from(index & (self.size - 1))
    }

    fn number(&self, address: u64) -> &AtomicU16 {
        // SAFETY: a number of the driver's ring, as in `next`; both sides touch it by atomic operations only.
        unsafe { AtomicU16::from_ptr(address as *mut u16) }
    }
}
