//! A heap of deadlines whose entries can be found again: neither the next deadline nor a forgotten one needs a scan.

use alloc::vec::Vec;
use core::task::Waker;

use mirage_clock::Instant;

/// An entry's name; no other entry ever has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    slot: usize,
    /// The how-manieth deadline of all it was.
    number: u64,
}

/// Deadlines and who waits for them.
#[derive(Default)]
pub(super) struct Deadlines {
    /// A binary heap: the entry at `n` is due no later than those at `2n + 1` and `2n + 2`.
    heap: Vec<Entry>,
    /// For each slot that is taken, where its entry is in the heap, and who waits.
    slots: Vec<Slot>,
    /// The first slot that is free; a free slot's `place` names the next.
    free: usize,
    next: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    deadline: Instant,
    /// Tells equal deadlines apart: first come, first served.
    number: u64,
    slot: usize,
}

struct Slot {
    place: usize,
    number: u64,
    waker: Option<Waker>,
}

impl Entry {
    fn before(&self, other: &Self) -> bool {
        (self.deadline, self.number) < (other.deadline, other.number)
    }
}

impl Deadlines {
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn earliest(&self) -> Option<Instant> {
        self.heap.first().map(|entry| entry.deadline)
    }

    pub(super) fn insert(&mut self, deadline: Instant, waker: Waker) -> Key {
        let number = self.next;
        self.next += 1;
        let slot = self.free;
        let taken = Slot { place: self.heap.len(), number, waker: Some(waker) };
        match self.slots.get_mut(slot) {
            Some(empty) => {
                self.free = empty.place;
                *empty = taken;
            }
            None => {
                self.slots.push(taken);
                self.free = self.slots.len();
            }
        }
        self.heap.push(Entry { deadline, number, slot });
        self.rise(self.heap.len() - 1);
        Key { slot, number }
    }

    /// Who waits at `key`; `None` when its time has come.
    pub(super) fn waker(&mut self, key: Key) -> Option<&mut Waker> {
        self.slots.get_mut(key.slot).filter(|slot| slot.number == key.number)?.waker.as_mut()
    }

    /// Forgets the entry at `key`, if it is still there.
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        let slot = self.slots.get(key.slot).filter(|slot| slot.number == key.number && slot.waker.is_some())?;
        self.take(slot.place)
    }

    /// Takes the earliest entry, if it is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Waker> {
        if self.earliest()? <= now { self.take(0) } else { None }
    }

    /// Takes the entry at `place` of the heap.
    fn take(&mut self, place: usize) -> Option<Waker> {
        let last = self.heap.pop()?;
        let entry = match self.heap.get_mut(place) {
            Some(entry) => core::mem::replace(entry, last),
            None => last,
        };
        // What came from the end may belong above or below.
        self.sink(place);
        self.rise(place);
        let slot = self.slots.get_mut(entry.slot)?;
        slot.place = core::mem::replace(&mut self.free, entry.slot);
        slot.waker.take()
    }

    /// Moves the entry at `place` up to where it belongs.
    fn rise(&mut self, mut place: usize) {
        while let Some(above) = place.checked_sub(1).map(|below| below / 2) {
            if !self.is_before(place, above) {
                break;
            }
            place = self.swap(place, above);
        }
        self.note(place);
    }

    /// Moves the entry at `place` down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let child = if self.is_before(right, left) { right } else { left };
            if !self.is_before(child, place) {
                return self.note(place);
            }
            place = self.swap(place, child);
        }
    }

    /// Whether there are entries at both places and the first is due before the second.
    fn is_before(&self, one: usize, other: usize) -> bool {
        matches!((self.heap.get(one), self.heap.get(other)), (Some(one), Some(other)) if one.before(other))
    }

    /// Exchanges the entries at two places, tells the slot of the one that comes to `from`, and says where the other is.
    fn swap(&mut self, from: usize, to: usize) -> usize {
        if let Ok([a, b]) = self.heap.get_disjoint_mut([from, to]) {
            core::mem::swap(a, b);
        }
        self.note(from);
        to
    }

    /// Tells the slot of the entry at `place`, if there is one, where that is.
    fn note(&mut self, place: usize) {
        let slot = self.heap.get(place).and_then(|entry| self.slots.get_mut(entry.slot));
        if let Some(slot) = slot {
            slot.place = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_does_what_an_ordered_map_does(operations in proptest::collection::vec((0_u8..4, 0_u64..50), 1..300)) {
            let (mut deadlines, mut model, mut keys) = (Deadlines::default(), BTreeMap::new(), Vec::new());
            for (number, (operation, value)) in operations.into_iter().enumerate() {
                match operation {
                    0 | 1 => {
                        let key = deadlines.insert(Instant::from_nanos(value), Waker::noop().clone());
                        model.insert((value, number), key);
                        keys.push(((value, number), key));
                    }
                    2 if !keys.is_empty() => {
                        let (in_model, key) = keys.swap_remove(value as usize % keys.len());
                        let there = model.remove(&in_model).is_some();
                        prop_assert_eq!(deadlines.waker(key).is_some(), there);
                        prop_assert_eq!(deadlines.remove(key).is_some(), there);
                    }
                    _ => {
                        let due = model.first_key_value().is_some_and(|((deadline, _), _)| *deadline <= value);
                        prop_assert_eq!(deadlines.pop_due(Instant::from_nanos(value)).is_some(), due);
                        if due {
                            let (_, key) = model.pop_first().expect("it is due");
                            prop_assert!(deadlines.waker(key).is_none());
                        }
                    }
                }
                prop_assert_eq!(deadlines.len(), model.len());
                let earliest = model.first_key_value().map(|((deadline, _), _)| Instant::from_nanos(*deadline));
                prop_assert_eq!(deadlines.earliest(), earliest);
            }
        }
    }
}
