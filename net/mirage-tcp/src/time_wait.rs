//! The memory of closed connections (RFC 9293 §3.4.2, §3.6.1): a ring of small records, all kept equally long.

use managed::ManagedSlice;
use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::demux::{Found, Tuple};
use crate::identifier::NONE;
use crate::replies::Reply;
use crate::stamps::Stamps;
use crate::{Profile, Tcp};

/// Room for the memory of one closed connection: less than 80 bytes.
#[derive(Clone, Debug)]
pub struct TimeWaitSlot {
    /// [`Tuple::NONE`] when it was forgotten before its time.
    pub(crate) tuple: Tuple,
    /// The entry behind this one in its chain of the hash table.
    pub(crate) next: u32,
    pub(crate) snd_nxt: SequenceNumber,
    pub(crate) rcv_nxt: SequenceNumber,
    /// The window we last offered, as it stood in the header.
    pub(crate) window: u16,
    pub(crate) stamps: Stamps,
    /// Its chain of the hash table: when its time is over, nobody has looked for it just before.
    pub(crate) bucket: u32,
    expires: Instant,
}

impl Default for TimeWaitSlot {
    fn default() -> Self {
        let zero = SequenceNumber(0);
        Self {
            tuple: Tuple::NONE,
            next: NONE,
            snd_nxt: zero,
            rcv_nxt: zero,
            window: 0,
            stamps: Stamps::OFF,
            bucket: 0,
            expires: Instant::ZERO,
        }
    }
}

/// The ring. Invariant: the `len` slots from `head` on are in order of expiry; the others are unused.
pub(crate) struct TimeWait<'s> {
    pub(crate) slots: ManagedSlice<'s, TimeWaitSlot>,
    head: u32,
    len: u32,
    /// How many of them are not forgotten.
    pub(crate) count: u32,
}

impl<'s> TimeWait<'s> {
    /// An empty ring: nothing is read of a slot before it is written.
    pub(crate) fn new(slots: ManagedSlice<'s, TimeWaitSlot>) -> Self {
        Self { slots, head: 0, len: 0, count: 0 }
    }

    /// The place behind `place`.
    fn behind(&self, place: u32) -> u32 {
        let next = place + 1;
        if (next as usize) < self.slots.len() { next } else { 0 }
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Remembers a connection that closes, and lets segments find the memory instead of it; the oldest memory makes room if
    /// need be.
    #[inline(never)]
    pub(crate) fn remember_connection(&mut self, now: Instant, connection: u32) {
        let Some(index) = self.make_room() else { return self.hide(connection) };
        let Some(slot) = self.connections.get(connection as usize) else { return };
        let Some(memory) = self.time_wait.slots.get_mut(index as usize) else { return };
        memory.tuple = slot.tuple;
        (memory.snd_nxt, memory.rcv_nxt) = (slot.nxt, slot.rcv_nxt);
        memory.window = slot.shown_window();
        memory.stamps = slot.stamps;
        memory.bucket = slot.bucket;
        memory.expires = now + self.resources.config.time_wait;
        memory.next = slot.next;
        let bucket = memory.bucket;
        self.point(bucket, Found::Connection(connection), self.demux.entry(Found::TimeWait(index)));
        self.mark_hidden(connection);
        self.arm_time_wait();
    }

    /// A place for one memory more, behind all others, or `None` if there is none at all.
    #[inline]
    fn make_room(&mut self) -> Option<u32> {
        let TimeWait { head, len, .. } = self.time_wait;
        let capacity = self.time_wait.slots.len() as u32;
        self.time_wait.count += 1;
        if len < capacity {
            self.time_wait.len += 1;
            let place = head + len;
            return Some(if place < capacity { place } else { place - capacity });
        }
        let Some(oldest) = self.time_wait.slots.get(head as usize) else {
            self.time_wait.count = 0;
            return None;
        };
        if oldest.tuple != Tuple::NONE {
            self.resources.stats.time_wait_evicted += 1;
            self.time_wait.count -= 1;
            let (bucket, behind) = (oldest.bucket, oldest.next);
            self.point(bucket, Found::TimeWait(head), behind);
        }
        self.time_wait.head = self.time_wait.behind(head);
        Some(head)
    }

    /// Forgets one before its time; its place in the ring stays until its turn comes.
    pub(crate) fn forget(&mut self, index: u32) {
        if self.time_wait.slots.get(index as usize).is_none_or(|slot| slot.tuple == Tuple::NONE) {
            return;
        }
        self.unlink(Found::TimeWait(index));
        self.time_wait.slots[index as usize].tuple = Tuple::NONE;
        self.time_wait.count -= 1;
    }

    /// The peer repeats its FIN: says again that it came, and remembers it for the whole time anew.
    pub(crate) fn remember_again(&mut self, now: Instant, index: u32) {
        let Some(slot) = self.time_wait.slots.get(index as usize) else { return };
        let memory = TimeWaitSlot { expires: now + self.resources.config.time_wait, ..slot.clone() };
        self.replies.push(Reply::ack(memory.tuple, memory.snd_nxt, memory.rcv_nxt, memory.window));
        self.forget(index);
        let Some(index) = self.make_room() else { return };
        if let Some(slot) = self.time_wait.slots.get_mut(index as usize) {
            *slot = memory;
        }
        self.link(Found::TimeWait(index));
        self.arm_time_wait();
    }

    /// Forgets those whose time is over.
    pub(crate) fn on_time_wait_timer(&mut self, now: Instant) {
        while self.time_wait.len > 0 {
            let head = self.time_wait.head;
            let Some(slot) = self.time_wait.slots.get(head as usize) else { return };
            if slot.expires > now && slot.tuple != Tuple::NONE {
                break;
            }
            self.forget(head);
            self.drop_oldest();
        }
        self.arm_time_wait();
    }

    fn drop_oldest(&mut self) {
        self.time_wait.head = self.time_wait.behind(self.time_wait.head);
        self.time_wait.len -= 1;
    }

    fn arm_time_wait(&mut self) {
        let timer = (self.connections.len() + self.half_open.slots.len()) as u32;
        if self.time_wait.len == 0 {
            return self.resources.timers.clear(timer);
        }
        let expires = self.time_wait.slots.get(self.time_wait.head as usize).map_or(Instant::MAX, |slot| slot.expires);
        self.resources.timers.set(timer, expires);
    }
}
