//! A split virtqueue (Virtual I/O Device 1.2 §2.7), the driver's side.

use alloc::boxed::Box;
use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicU16, Ordering, fence};

use virtio_drivers::transport::Transport;
use virtio_drivers::{Hal, PhysAddr};

use crate::layout::{DESCRIPTOR, Descriptor, Layout, NEXT, UsedEntry, WRITE};
use crate::{Broken, EVENT_INDEX, Full, Memory, Refused};

/// Largest queue that the standard knows.
const LARGEST: u16 = 32_768;

/// A piece of memory of a chain, as the device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it lies: see [`Memory::address`].
    pub address: PhysAddr,
    /// Bytes; not 0.
    pub len: u32,
    /// The device writes it; else it reads it. Pieces to be written come last.
    pub written: bool,
}

/// A chain that the device is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// As given to [`Queue::add`].
    pub tag: u16,
    /// How many bytes the device says that it wrote. It may lie: this can be more than there was room for.
    pub len: u32,
}

/// What we know of a descriptor. The device never sees it, so it can be trusted.
#[derive(Clone, Copy)]
struct Slot {
    /// The next one in its chain or in the list of free ones.
    next: u16,
    /// How many descriptors the chain has that begins here; 0 where none that the device holds does.
    count: u16,
    tag: u16,
}

/// A queue between driver and device: chains of memory go out with a tag and come back with it, in any order.
pub struct Queue<H: Hal> {
    memory: Memory<H>,
    layout: Layout,
    number: u16,
    event_index: bool,
    /// One for each descriptor. Invariant: a power of two, at most `LARGEST`.
    slots: Box<[Slot]>,
    /// The first free descriptor, if `free` is not 0.
    first_free: u16,
    free: u16,
    /// How many chains the device holds.
    out: u16,
    /// Chains added so far, and how many of them the device was told of.
    added: u16,
    told: u16,
    /// Chains taken back so far.
    taken: u16,
}

impl<H: Hal> Queue<H> {
    /// Makes queue `number` of a device whose features were accepted, with at most `most` descriptors: the next lower
    /// power of two that the device can.
    ///
    /// # Errors
    /// [`Refused::NoQueue`], [`Refused::NoMemory`].
    pub fn new(transport: &mut impl Transport, number: u16, most: u16, features: u64) -> Result<Self, Refused> {
        if transport.queue_used(number) {
            return Err(Refused::NoQueue);
        }
        let most = u32::from(most.min(LARGEST)).min(transport.max_queue_size(number));
        let Some(power) = most.checked_ilog2() else { return Err(Refused::NoQueue) };
        let size = 1 << power;
        let layout = Layout::new(size, transport.requires_legacy_layout());
        let memory = Memory::new(layout.end).ok_or(Refused::NoMemory)?;
        let slots = (0..size).map(|at| Slot { next: at + 1, count: 0, tag: 0 }).collect();
        transport.queue_set(
            number,
            size.into(),
            memory.address(0),
            memory.address(layout.available),
            memory.address(layout.used),
        );
        let event_index = features & EVENT_INDEX != 0;
        let queue = Self {
            memory,
            layout,
            number,
            event_index,
            slots,
            first_free: 0,
            free: size,
            out: 0,
            added: 0,
            told: 0,
            taken: 0,
        };
        queue.disarm();
        Ok(queue)
    }

    /// How many descriptors it has.
    pub fn size(&self) -> u16 {
        self.slots.len() as u16
    }

    /// How many descriptors are free.
    pub fn free(&self) -> u16 {
        self.free
    }

    /// How many chains the device holds.
    pub fn out(&self) -> u16 {
        self.out
    }

    /// Puts a chain into the ring; the device hears of it with the next [`notify`](Self::notify).
    ///
    /// # Errors
    /// [`Full`]; also for a chain of no pieces.
    ///
    /// # Safety
    /// The pieces stay allocated until the chain comes back from [`take`](Self::take) or the device is reset. As long,
    /// nobody writes them, and nobody reads those that the device writes.
    pub unsafe fn add(&mut self, pieces: &[Piece], tag: u16) -> Result<(), Full> {
        let count = pieces.len();
        if count == 0 || count > usize::from(self.free) {
            return Err(Full);
        }
        let head = self.first_free;
        let mut at = head;
        for (number, piece) in pieces.iter().enumerate() {
            let next = self.slots.get(usize::from(at)).map_or(0, |slot| slot.next);
            let more = if number + 1 < count { NEXT } else { 0 };
            let flags = more | if piece.written { WRITE } else { 0 };
            let descriptor = Descriptor { address: piece.address, len: piece.len, flags, next };
            // SAFETY: a descriptor of our table, 16-byte aligned as the table is page-aligned. The device does not read
            // it: it is free.
            unsafe { ptr::write_volatile(self.place(usize::from(at) * DESCRIPTOR, DESCRIPTOR).cast(), descriptor) };
            at = next;
        }
        if let Some(slot) = self.slots.get_mut(usize::from(head)) {
            slot.count = count as u16;
            slot.tag = tag;
        }
        self.first_free = at;
        self.free -= count as u16;
        self.out += 1;
        let place = self.layout.available_slot(self.added & (self.size() - 1));
        self.shared(place).store(head, Ordering::Relaxed);
        self.added = self.added.wrapping_add(1);
        Ok(())
    }

    /// Tells the device of everything that was added, with one notification if it wants one.
    pub fn notify(&mut self, transport: &mut impl Transport) {
        if self.added == self.told {
            return;
        }
        let (before, now) = (self.told, self.added);
        self.told = now;
        self.shared(self.layout.available + 2).store(now, Ordering::Release);
        // The device looks at the index after it said what it wants; we say what there is before we look at that.
        fence(Ordering::SeqCst);
        let wanted = if self.event_index {
            let event = self.shared(self.layout.available_event()).load(Ordering::Relaxed);
            passed(event, before, now)
        } else {
            self.shared(self.layout.used).load(Ordering::Relaxed) & 1 == 0
        };
        if wanted {
            transport.notify(self.number);
        }
    }

    /// How many chains the device is done with.
    ///
    /// # Errors
    /// [`Broken`] when that is more than it was told of.
    #[inline]
    pub fn waiting(&self) -> Result<u16, Broken> {
        let done = self.shared(self.layout.used + 2).load(Ordering::Acquire);
        let waiting = done.wrapping_sub(self.taken);
        let held = self.told.wrapping_sub(self.taken);
        if waiting <= held { Ok(waiting) } else { Err(Broken) }
    }

    /// Takes back the oldest chain that the device is done with.
    ///
    /// # Errors
    /// [`Broken`] when the device gives what it does not hold.
    #[inline]
    pub fn take(&mut self) -> Result<Option<Used>, Broken> {
        if self.waiting()? == 0 {
            return Ok(None);
        }
        let place = self.layout.used_slot(self.taken & (self.size() - 1));
        // SAFETY: an entry of the used ring, 4-byte aligned; the device wrote it before it moved its index and does not
        // write it again before we add more. Any bytes are valid.
        let UsedEntry { id, len } =
            unsafe { ptr::read_volatile(self.place(place, size_of::<UsedEntry>()).cast::<UsedEntry>()) };
        let head = u16::try_from(id).map_err(|_| Broken)?;
        let slot = self.slots.get_mut(usize::from(head)).filter(|slot| slot.count != 0).ok_or(Broken)?;
        let Slot { tag, count, .. } = *slot;
        slot.count = 0;
        // The chain goes to the front of the free ones: its last descriptor is followed by those.
        let mut last = head;
        for _ in 1..count {
            last = self.slots.get(usize::from(last)).map_or(0, |slot| slot.next);
        }
        if let Some(slot) = self.slots.get_mut(usize::from(last)) {
            slot.next = self.first_free;
        }
        self.first_free = head;
        self.free += count;
        self.out -= 1;
        self.taken = self.taken.wrapping_add(1);
        Ok(Some(Used { tag, len }))
    }

    /// Asks for an interrupt when `count` chains, at least 1, have come back from now on, and returns whether they have
    /// already: then perhaps none comes.
    ///
    /// # Errors
    /// As [`waiting`](Self::waiting).
    pub fn arm(&self, count: u16) -> Result<bool, Broken> {
        let count = count.max(1);
        if self.event_index {
            let event = self.taken.wrapping_add(count - 1);
            self.shared(self.layout.used_event()).store(event, Ordering::Relaxed);
        } else {
            self.shared(self.layout.available).store(0, Ordering::Relaxed);
        }
        // The device looks at this after it moved its index; we look at its index after we said it.
        fence(Ordering::SeqCst);
        Ok(self.waiting()? >= count)
    }

    /// Asks for no interrupts. There may still be some.
    pub fn disarm(&self) {
        if self.event_index {
            // The place just passed: it comes again after 65,535 more.
            let event = self.taken.wrapping_sub(1);
            self.shared(self.layout.used_event()).store(event, Ordering::Relaxed);
        } else {
            self.shared(self.layout.available).store(1, Ordering::Relaxed);
        }
    }

    /// A number that both sides may touch at any time.
    #[inline]
    fn shared(&self, at: usize) -> &AtomicU16 {
        // SAFETY: an even place in our page-aligned memory, which lives as long as `self`. We touch it by atomic
        // operations only.
        unsafe { AtomicU16::from_ptr(self.place(at, 2).cast()) }
    }

    /// Where `len` bytes at `at` lie; `at` comes from the layout, so they are within.
    #[inline]
    fn place(&self, at: usize, len: usize) -> *mut u8 {
        debug_assert!(at + len <= self.layout.end, "a place outside the ring");
        // SAFETY: the memory has `layout.end` bytes, and no place that the layout names for a descriptor or a slot below
        // its size lies behind that.
        unsafe { self.memory.start().add(at) }
    }
}

/// Whether an index that went from `before` to `now` came past `event` (§2.7.10: the place at which somebody wants to
/// be told). All three wrap.
const fn passed(event: u16, before: u16, now: u16) -> bool {
    now.wrapping_sub(event).wrapping_sub(1) < now.wrapping_sub(before)
}

impl<H: Hal> fmt::Debug for Queue<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_passed_once_also_where_the_index_wraps() {
        assert!(passed(5, 5, 6) && passed(5, 3, 9));
        assert!(!passed(5, 6, 9) && !passed(9, 6, 9));
        assert!(passed(65_534, 65_533, 2) && passed(1, 65_533, 2));
        assert!(!passed(2, 65_533, 2) && !passed(65_532, 65_533, 2));
    }
}
