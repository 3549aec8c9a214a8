//! When to look at which connection again: a heap with one deadline for each.

use core::cell::Cell;

use managed::ManagedSlice;
use mirage_clock::Instant;

/// Room for one timer. Lend a slice of them in [`Storage`](crate::Storage).
///
/// A slot plays two parts that have nothing to do with each other: slot `p` is place `p` of the heap, and slot `i`
/// remembers what timer `i` wants.
#[derive(Clone, Copy, Debug)]
pub struct TimerSlot {
    /// Heap: when to look at `timer`. Never later than what it wants.
    due: Instant,
    /// Timer: when it wants to go off; [`Instant::MAX`] for never.
    wanted: Instant,
    /// Heap: whose place this is.
    timer: u32,
    /// Timer: its place in the heap, or [`NONE`].
    place: u32,
}

impl Default for TimerSlot {
    fn default() -> Self {
        Self { due: Instant::MAX, wanted: Instant::MAX, timer: NONE, place: NONE }
    }
}

/// The timers of a machine, by number.
///
/// Nearly every segment moves its connection's deadline a little further away, and nearly none ever goes off. So a
/// deadline that moves away is only noted, in O(1), and the heap learns of it when its turn comes; one that comes closer
/// moves at once, in O(log n).
pub(crate) struct Timers<'s> {
    slots: ManagedSlice<'s, TimerSlot>,
    /// How many slots are places of the heap. Invariant: each is held by another timer, and
    /// `slots[slots[p].timer].place == p` for each place `p`.
    len: usize,
    /// What [`next`](Self::next) last found, until something changes: it is asked far more often. [`UNKNOWN`] then.
    soonest: Cell<Instant>,
}

impl<'s> Timers<'s> {
    /// As many timers as there are slots, none of them set.
    pub(crate) fn new(mut slots: ManagedSlice<'s, TimerSlot>) -> Self {
        slots.fill(TimerSlot::default());
        Self { slots, len: 0, soonest: Cell::new(UNKNOWN) }
    }

    /// Lets timer `index` go off at `deadline` and no longer when it was to before. [`Instant::MAX`] is never. A number
    /// without a slot is ignored.
    pub(crate) fn set(&mut self, index: u32, deadline: Instant) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let before = core::mem::replace(&mut slot.wanted, deadline);
        let place = slot.place as usize;
        self.note(before, deadline);
        match self.slots.get_mut(place) {
            Some(entry) if entry.due <= deadline => {}
            Some(entry) => {
                entry.due = deadline;
                self.rise(place);
            }
            None => self.insert(index, deadline),
        }
    }

    /// Lets timer `index` not go off.
    pub(crate) fn clear(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize) {
            let before = core::mem::replace(&mut slot.wanted, Instant::MAX);
            self.note(before, Instant::MAX);
        }
    }

    /// A timer that was to go off at `before` goes off at `wanted`: what [`next`](Self::next) found is often found still.
    #[inline]
    fn note(&self, before: Instant, wanted: Instant) {
        let soonest = self.soonest.get();
        if wanted <= soonest {
            self.soonest.set(wanted);
        } else if before <= soonest {
            self.soonest.set(UNKNOWN);
        }
    }

    /// When to call [`pop_due`](Self::pop_due) again. It may come too early, never too late.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        let next = match self.soonest.get() {
            UNKNOWN => self.find_next(),
            soonest => soonest,
        };
        (next != Instant::MAX).then_some(next)
    }

    #[inline(never)]
    fn find_next(&self) -> Instant {
        let due = |place| self.entry(place).map_or(Instant::MAX, |entry| entry.due);
        // The first may have moved away; those behind it are then next, or it still is.
        let first = self.entry(0).map_or(Instant::MAX, |first| self.wanted(first.timer));
        let next = first.min(due(1)).min(due(2));
        self.soonest.set(next);
        next
    }

    /// A timer whose time has come, if there is one. It is no longer set.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        loop {
            let first = *self.entry(0)?;
            if first.due > now {
                return None;
            }
            self.soonest.set(UNKNOWN);
            let wanted = self.wanted(first.timer);
            if wanted > now && wanted != Instant::MAX {
                self.slots[0].due = wanted;
                self.sink(0);
                continue;
            }
            self.remove_first(first.timer);
            if wanted != Instant::MAX {
                return Some(first.timer);
            }
        }
    }

    fn entry(&self, place: usize) -> Option<&TimerSlot> {
        if place < self.len { self.slots.get(place) } else { None }
    }

    fn wanted(&self, timer: u32) -> Instant {
        self.slots.get(timer as usize).map_or(Instant::MAX, |slot| slot.wanted)
    }

    fn insert(&mut self, timer: u32, due: Instant) {
        if due == Instant::MAX {
            return;
        }
        let place = self.len;
        self.len += 1;
        self.put(place, timer, due);
        self.rise(place);
    }

    fn remove_first(&mut self, timer: u32) {
        let slot = &mut self.slots[timer as usize];
        (slot.place, slot.wanted) = (NONE, Instant::MAX);
        self.len -= 1;
        if self.len > 0 {
            let last = self.slots[self.len];
            self.put(0, last.timer, last.due);
            self.sink(0);
        }
    }

    /// Writes both sides of the bond between a place and its timer.
    fn put(&mut self, place: usize, timer: u32, due: Instant) {
        let entry = &mut self.slots[place];
        (entry.timer, entry.due) = (timer, due);
        self.slots[timer as usize].place = place as u32;
    }

    /// Moves the entry at `place` up until no parent is later.
    fn rise(&mut self, mut place: usize) {
        let TimerSlot { timer, due, .. } = self.slots[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            let above = self.slots[parent];
            if above.due <= due {
                break;
            }
            self.put(place, above.timer, above.due);
            place = parent;
        }
        self.put(place, timer, due);
    }

    /// Moves the entry at `place` down until no child is earlier.
    fn sink(&mut self, mut place: usize) {
        let TimerSlot { timer, due, .. } = self.slots[place];
        loop {
            let left = 2 * place + 1;
            let Some(mut child) = self.entry(left).copied() else { break };
            let mut below = left;
            if let Some(right) = self.entry(left + 1)
                && right.due < child.due
            {
                (child, below) = (*right, left + 1);
            }
            if due <= child.due {
                break;
            }
            self.put(place, child.timer, child.due);
            place = below;
        }
        self.put(place, timer, due);
    }
}

const NONE: u32 = u32::MAX;
/// No deadline comes before it: what wants to go off then is merely looked for each time.
const UNKNOWN: Instant = Instant::ZERO;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn timers_go_off_in_the_order_of_their_deadlines() {
        let mut slots = vec![TimerSlot::default(); 5];
        let mut timers = Timers::new(ManagedSlice::Borrowed(&mut slots));
        for (index, deadline) in [(0, 30), (1, 10), (2, 50), (3, 20), (4, 40)] {
            timers.set(index, at(deadline));
        }
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_due(at(9)), None);
        let order: Vec<u32> = core::iter::from_fn(|| timers.pop_due(at(60))).collect();
        assert_eq!(order, [1, 3, 0, 4, 2]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_deadline_that_moves_away_does_not_go_off_early() {
        let mut slots = vec![TimerSlot::default(); 2];
        let mut timers = Timers::new(ManagedSlice::Borrowed(&mut slots));
        timers.set(0, at(10));
        timers.set(0, at(100));
        assert_eq!(timers.next(), Some(at(100)), "one timer alone is exact");
        assert_eq!(timers.pop_due(at(99)), None);
        assert_eq!(timers.pop_due(at(100)), Some(0));
    }

    #[test]
    fn a_deadline_that_comes_closer_goes_off_in_time() {
        let mut slots = vec![TimerSlot::default(); 3];
        let mut timers = Timers::new(ManagedSlice::Borrowed(&mut slots));
        timers.set(0, at(10));
        timers.set(1, at(20));
        timers.set(2, at(30));
        timers.set(2, at(5));
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.pop_due(at(5)), Some(2));
    }

    #[test]
    fn a_cleared_timer_is_forgotten_and_can_be_set_again() {
        let mut slots = vec![TimerSlot::default(); 1];
        let mut timers = Timers::new(ManagedSlice::Borrowed(&mut slots));
        timers.set(0, at(10));
        timers.clear(0);
        assert_eq!(timers.next(), None);
        assert_eq!(timers.pop_due(at(1000)), None);
        timers.set(0, at(2000));
        assert_eq!(timers.pop_due(at(2000)), Some(0));
    }

    #[test]
    fn a_number_without_a_slot_is_ignored() {
        let mut timers = Timers::new(ManagedSlice::Borrowed(&mut []));
        timers.set(7, at(1));
        timers.clear(7);
        assert_eq!((timers.next(), timers.pop_due(at(9))), (None, None));
    }

    #[derive(Clone, Debug)]
    enum Operation {
        Set(u8, u16),
        Clear(u8),
        Pass(u16),
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            5 => (0_u8..12, any::<u16>()).prop_map(|(index, span)| Operation::Set(index, span)),
            2 => (0_u8..12).prop_map(Operation::Clear),
            3 => (0_u16..30_000).prop_map(Operation::Pass),
        ]
    }

    proptest! {
        #[test]
        fn they_go_off_like_a_list_of_deadlines(operations in proptest::collection::vec(operation(), 0..200)) {
            let mut slots = vec![TimerSlot::default(); 12];
            let mut timers = Timers::new(ManagedSlice::Borrowed(&mut slots));
            let mut model = [None::<Instant>; 12];
            let mut now = Instant::ZERO;
            for operation in operations {
                match operation {
                    Operation::Set(index, span) => {
                        let deadline = at(now.as_nanos() + u64::from(span));
                        timers.set(index.into(), deadline);
                        model[usize::from(index)] = Some(deadline);
                    }
                    Operation::Clear(index) => {
                        timers.clear(index.into());
                        model[usize::from(index)] = None;
                    }
                    Operation::Pass(span) => {
                        now = at(now.as_nanos() + u64::from(span));
                        while let Some(index) = timers.pop_due(now) {
                            let deadline = model[index as usize].take();
                            prop_assert!(deadline.is_some_and(|deadline| deadline <= now));
                        }
                        prop_assert!(model.iter().flatten().all(|deadline| *deadline > now));
                    }
                }
                let earliest = model.iter().flatten().min();
                if let Some(earliest) = earliest {
                    prop_assert!(timers.next().is_some_and(|next| next <= *earliest));
                }
            }
        }

        /// Whoever sleeps until `next` each time wakes in time for all and does not spin.
        #[test]
        fn sleeping_until_next_ends(deadlines in proptest::collection::vec(1_u64..1000, 1..20)) {
            let mut slots = vec![TimerSlot::default(); 20];
            let mut timers = Timers::new(ManagedSlice::Borrowed(&mut slots));
            for (index, deadline) in deadlines.iter().enumerate() {
                timers.set(index as u32, at(1));
                timers.set(index as u32, at(*deadline));
            }
            let (mut rang, mut wakes) = (0, 0);
            while let Some(now) = timers.next() {
                wakes += 1;
                prop_assert!(wakes <= 3 * deadlines.len());
                while let Some(index) = timers.pop_due(now) {
                    prop_assert_eq!(at(deadlines[index as usize]), now);
                    rang += 1;
                }
            }
            prop_assert_eq!(rang, deadlines.len());
        }
    }
}
