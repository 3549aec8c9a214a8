//! All wakers of a machine in one bounded place.

use core::task::Waker;

use managed::ManagedSlice;

use crate::WaitList;
use crate::slot::{NONE, Slot};

/// Slots for wakers, shared by any number of [`WaitList`]s.
///
/// A waker is never overwritten by that of another task: when no slot is free, a waiter is woken to make room, so
/// nobody is ever forgotten. Such a wake is spurious: the woken task looks again and registers again.
#[derive(Debug)]
pub struct WakerPool<'s> {
    /// Invariant: at most `NONE` slots are used, so that every index fits.
    slots: ManagedSlice<'s, Slot>,
    /// The first free slot, or `NONE`.
    free: u16,
    /// Invariant: the number of slots that hold a waker.
    in_use: u16,
}

impl<'s> WakerPool<'s> {
    /// A pool of as many wakers as there are slots, at most 65,535 (more are left unused). Wakers that lie in the
    /// slots from earlier use are dropped without being woken.
    pub fn new(slots: impl Into<ManagedSlice<'s, Slot>>) -> Self {
        let mut slots = slots.into();
        let count = slots.len().min(usize::from(NONE));
        let mut free = NONE;
        for (index, slot) in slots.iter_mut().enumerate().take(count).rev() {
            *slot = Slot { waker: None, next: free };
            // Fits: `count` is at most `NONE`.
            free = index as u16;
        }
        Self { slots, free, in_use: 0 }
    }

    /// Adds a waker to `list`; one that would wake a task already in it is not added twice.
    ///
    /// When no slot is free, the oldest waiter of this list is woken and gives up its place; if nobody waits in
    /// this list, `waker` itself is woken at once. Looks at each waiter of this list once, and at no others.
    pub fn register(&mut self, list: &mut WaitList, waker: &Waker) {
        let (mut oldest, mut before_oldest) = (NONE, NONE);
        let mut at = list.newest;
        while let Some(slot) = self.slots.get(place(at)) {
            if slot.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
                return;
            }
            (before_oldest, oldest, at) = (oldest, at, slot.next);
        }
        if let Some(free) = self.slots.get_mut(place(self.free)) {
            let index = self.free;
            self.free = free.next;
            *free = Slot { waker: Some(waker.clone()), next: list.newest };
            list.newest = index;
            self.in_use += 1;
        } else if let Some(slot) = self.slots.get_mut(place(oldest)) {
            // The oldest slot becomes the newest.
            let displaced = slot.waker.replace(waker.clone());
            if let Some(before) = self.slots.get_mut(place(before_oldest)) {
                before.next = NONE;
                if let Some(slot) = self.slots.get_mut(place(oldest)) {
                    slot.next = list.newest;
                }
                list.newest = oldest;
            }
            displaced.into_iter().for_each(Waker::wake);
        } else {
            waker.wake_by_ref();
        }
    }

    /// Wakes everybody in `list` and empties it. Costs nothing when nobody waits.
    #[inline]
    pub fn wake(&mut self, list: &mut WaitList) {
        if self.waiting(list) {
            self.drain(list, Waker::wake);
        }
    }

    /// Empties `list` without waking anybody: for a thing that is gone together with those who waited for it.
    #[inline]
    pub fn clear(&mut self, list: &mut WaitList) {
        if self.waiting(list) {
            self.drain(list, drop);
        }
    }

    /// Whether anybody waits in `list`.
    #[inline]
    pub fn waiting(&self, list: &WaitList) -> bool {
        list.newest != NONE
    }

    /// How many slots hold a waker.
    pub fn in_use(&self) -> usize {
        self.in_use.into()
    }

    /// How many wakers the pool can hold.
    pub fn capacity(&self) -> usize {
        self.slots.len().min(NONE.into())
    }

    /// Frees every slot of `list` and gives its waker to `each`.
    fn drain(&mut self, list: &mut WaitList, each: impl Fn(Waker)) {
        let mut at = core::mem::replace(&mut list.newest, NONE);
        // Ends: each round empties a slot, and an empty one ends the walk.
        while let Some(slot) = self.slots.get_mut(place(at)) {
            let Some(waker) = slot.waker.take() else { return };
            let next = core::mem::replace(&mut slot.next, self.free);
            self.free = at;
            self.in_use -= 1;
            each(waker);
            at = next;
        }
    }
}

/// Where the slot `index` lies; `NONE` lies nowhere, even where the storage is longer.
#[inline]
fn place(index: u16) -> usize {
    if index == NONE { usize::MAX } else { index.into() }
}
