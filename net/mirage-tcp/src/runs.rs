//! What is under way: runs of bytes that left together, in the order of their numbers.

use managed::ManagedSlice;
use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::identifier::NONE;

/// Room for one run. Lend a slice of them in [`Storage`](crate::Storage); an idle connection holds none.
///
/// Bytes with neighbouring numbers that were sent at the same time and fared alike are one run, however many segments
/// they were: a burst costs one. What the peer acknowledges selectively cuts runs.
#[derive(Clone, Debug)]
pub struct RunSlot {
    pub(crate) next: u32,
    pub(crate) start: SequenceNumber,
    /// The number behind its last.
    pub(crate) end: SequenceNumber,
    /// When it was last sent.
    pub(crate) sent_at: Instant,
    /// How it fared; see [`fate`].
    pub(crate) fate: u8,
    /// How the delivery stood when it was sent.
    pub(crate) mark: Mark,
}

/// How the delivery stood when something was sent (draft-ietf-ccwg-bbr §4.1.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// What had been delivered, modulo 2³².
    pub(crate) delivered: u32,
    /// What had been thought lost, modulo 2³².
    pub(crate) lost: u32,
    /// What was under way, this included.
    pub(crate) in_flight: u32,
    /// When what was `delivered` last grew.
    pub(crate) delivered_at: Instant,
    /// When the first of what was under way was sent.
    pub(crate) first_sent_at: Instant,
}

impl Mark {
    pub(crate) const NONE: Self =
        Self { delivered: 0, lost: 0, in_flight: 0, delivered_at: Instant::ZERO, first_sent_at: Instant::ZERO };
}

/// How a run fared.
pub(crate) mod fate {
    /// The peer has it (RFC 2018).
    pub(crate) const SACKED: u8 = 1;
    /// It is thought lost, and not sent again since.
    pub(crate) const LOST: u8 = 2;
    /// It was sent more than once.
    pub(crate) const RESENT: u8 = 4;
    /// The application had nothing more to send.
    pub(crate) const APP_LIMITED: u8 = 8;
    /// It is one segment, longer than the path is known to take.
    pub(crate) const LONGER: u8 = 16;
    /// A segment ends with it that is marked (PSH), whatever follows.
    pub(crate) const ENDS: u8 = 32;
}

impl Default for RunSlot {
    fn default() -> Self {
        let zero = SequenceNumber(0);
        Self { next: NONE, start: zero, end: zero, sent_at: Instant::ZERO, fate: 0, mark: Mark::NONE }
    }
}

impl RunSlot {
    pub(crate) fn len(&self) -> u32 {
        self.end.since(self.start)
    }

    pub(crate) fn is(&self, fate: u8) -> bool {
        self.fate & fate != 0
    }
}

/// The runs of one connection. Invariant: they follow each other without a gap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) count: u32,
}

impl Chain {
    pub(crate) const EMPTY: Self = Self { head: NONE, tail: NONE, count: 0 };
}

/// The runs of all connections.
pub(crate) struct Runs<'s> {
    /// Steps made along chains since the machine was made: what segments of peers cost.
    pub(crate) steps: u64,
    slots: ManagedSlice<'s, RunSlot>,
    /// The first free one.
    free: u32,
    /// Those from here on were never taken.
    fresh: u32,
}

impl<'s> Runs<'s> {
    pub(crate) fn new(slots: ManagedSlice<'s, RunSlot>) -> Self {
        Self { steps: 0, slots, free: NONE, fresh: 0 }
    }

    /// A run by its number, or `None` for [`NONE`].
    pub(crate) fn get(&self, index: u32) -> Option<&RunSlot> {
        self.slots.get(index as usize)
    }

    /// A run by its number, which is of a chain.
    #[inline]
    pub(crate) fn of(&self, index: u32) -> &RunSlot {
        &self.slots[index as usize]
    }

    #[inline]
    pub(crate) fn of_mut(&mut self, index: u32) -> &mut RunSlot {
        &mut self.slots[index as usize]
    }

    /// The first run of a chain.
    #[inline]
    pub(crate) fn head_mut(&mut self, chain: &Chain) -> Option<&mut RunSlot> {
        self.slots.get_mut(chain.head as usize)
    }

    /// The only run of a chain, if it has one alone, and which is the first that nobody has.
    #[inline(always)]
    pub(crate) fn lone_mut(&mut self, chain: &Chain) -> Option<(&mut RunSlot, &mut u32)> {
        match chain.count {
            1 => Some((self.slots.get_mut(chain.head as usize)?, &mut self.free)),
            _ => None,
        }
    }

    /// Whether a connection with nothing under way may begin.
    #[inline]
    pub(crate) fn can_begin(&self) -> bool {
        self.free != NONE || (self.fresh as usize) < self.slots.len()
    }

    /// Whether what is sent next can be noted.
    #[inline]
    pub(crate) fn can_push(&self, chain: &Chain) -> bool {
        if chain.count < MOST && self.can_begin() {
            return true;
        }
        self.slots.get(chain.tail as usize).is_some_and(|last| !last.is(fate::SACKED | fate::LOST))
    }

    #[inline]
    fn take(&mut self) -> Option<u32> {
        let index = self.free;
        if let Some(slot) = self.slots.get(index as usize) {
            self.free = slot.next;
            return Some(index);
        }
        let fresh = self.fresh;
        if (fresh as usize) < self.slots.len() {
            self.fresh += 1;
            return Some(fresh);
        }
        None
    }

    /// Appends what was just sent for the first time. `whole`: what was sent before it ended with a full segment, so that it
    /// is known where the segments of both begin. Without a slot for it the last run grows: it is then only known less
    /// exactly when its bytes were sent. `false` when there is none to grow either.
    #[inline]
    pub(crate) fn push(&mut self, chain: &mut Chain, run: &RunSlot, whole: bool) -> bool {
        if let Some(last) = self.slots.get_mut(chain.tail as usize)
            && whole
            && last.sent_at == run.sent_at
            && last.fate == run.fate
        {
            last.end = run.end;
            return true;
        }
        self.push_behind(chain, run)
    }

    /// Which run would be taken next, if there is one.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<u32> {
        let index = if self.free != NONE { self.free } else { self.fresh };
        ((index as usize) < self.slots.len()).then_some(index)
    }

    /// The first of an empty chain, which becomes that [which is next](Self::peek).
    #[inline(always)]
    pub(crate) fn begin(&mut self, chain: &mut Chain, index: u32, run: RunSlot) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        match self.free {
            NONE => self.fresh += 1,
            _ => self.free = slot.next,
        }
        *slot = run;
        *chain = Chain { head: index, tail: index, count: 1 };
    }

    fn push_behind(&mut self, chain: &mut Chain, run: &RunSlot) -> bool {
        let index = if chain.count < MOST { self.take() } else { None };
        let Some((index, slot)) = index.and_then(|index| Some((index, self.slots.get_mut(index as usize)?))) else {
            return self.stretch(chain, run);
        };
        slot.clone_from(run);
        slot.next = NONE;
        match self.slots.get_mut(chain.tail as usize) {
            Some(last) => last.next = index,
            None => chain.head = index,
        }
        chain.tail = index;
        chain.count += 1;
        true
    }

    /// Lets the last run grow over what was sent, for want of a slot.
    #[cold]
    fn stretch(&mut self, chain: &Chain, run: &RunSlot) -> bool {
        let Some(last) = self.slots.get_mut(chain.tail as usize) else { return false };
        if last.is(fate::SACKED | fate::LOST) {
            return false;
        }
        last.end = run.end;
        last.sent_at = run.sent_at;
        true
    }

    /// Takes the first run off.
    #[inline(always)]
    pub(crate) fn pop(&mut self, chain: &mut Chain) {
        let index = chain.head;
        let free = self.free;
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        chain.head = core::mem::replace(&mut slot.next, free);
        self.free = index;
        chain.count -= 1;
        if chain.head == NONE {
            chain.tail = NONE;
        }
    }

    /// Cuts a run in two before `at`, which lies inside of it. `false` when there is no slot.
    pub(crate) fn cut(&mut self, chain: &mut Chain, index: u32, at: SequenceNumber) -> bool {
        if chain.count >= MOST {
            return false;
        }
        let Some(new) = self.take() else { return false };
        let slot = &mut self.slots[index as usize];
        let behind = RunSlot { start: at, ..slot.clone() };
        slot.end = at;
        slot.fate &= !fate::ENDS;
        slot.next = new;
        if behind.next == NONE {
            chain.tail = new;
        }
        self.slots[new as usize] = behind;
        chain.count += 1;
        true
    }

    /// Joins each run with the next while both fared alike and left at the same time: what has been cut too finely.
    pub(crate) fn join(&mut self, chain: &mut Chain, index: u32) {
        let slot = &self.slots[index as usize];
        let next = slot.next;
        let Some(behind) = self.slots.get(next as usize) else { return };
        let sacked = slot.is(fate::SACKED) && behind.is(fate::SACKED);
        if !sacked && (slot.fate != behind.fate || slot.sent_at != behind.sent_at) {
            return;
        }
        let (end, after) = (behind.end, behind.next);
        let slot = &mut self.slots[index as usize];
        slot.end = end;
        slot.next = after;
        if after == NONE {
            chain.tail = index;
        }
        self.slots[next as usize].next = self.free;
        self.free = next;
        chain.count -= 1;
    }

    /// Gives all runs back.
    pub(crate) fn clear(&mut self, chain: &mut Chain) {
        while chain.head != NONE {
            self.pop(chain);
        }
    }
}

/// How many runs a connection may have: what a peer can make us walk for each of its segments.
pub(crate) const MOST: u32 = 1024;
