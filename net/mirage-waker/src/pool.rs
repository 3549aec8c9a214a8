//! All wakers of a machine in one bounded place.

use core::task::Waker;

use managed::ManagedSlice;

use crate::WaitList;
use crate::slot::{Content, NONE, Slot};

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
    /// Invariant: the number of slots that hold a waker; others hold links.
    in_use: u16,
}

impl<'s> WakerPool<'s> {
    /// A pool of as many wakers as there are slots, if each waits alone; at most 65,535 (more are left unused). Wakers that lie in the
    /// slots from earlier use are dropped without being woken.
    pub fn new(slots: impl Into<ManagedSlice<'s, Slot>>) -> Self {
        let mut slots = slots.into();
        let count = slots.len().min(usize::from(NONE));
        let mut free = NONE;
        for (index, slot) in slots.iter_mut().enumerate().take(count).rev() {
            *slot = Slot::free(free);
            // Fits: `count` is at most `NONE`.
            free = index as u16;
        }
        Self { slots, free, in_use: 0 }
    }

    /// Adds a waker to `list`; one that would wake a task already in it is not added twice.
    ///
    /// When there is no room, the oldest waiter of this list is woken and gives up its place; if nobody waits in
    /// this list, `waker` itself is woken at once. Looks at each waiter of this list once, and at no others.
    pub fn register(&mut self, list: &mut WaitList, waker: &Waker) {
        match self.content(list.newest) {
            // Mostly a task waits alone, and often it asks again.
            Some(Content::Waker(known)) if known.will_wake(waker) => {}
            None if let Some((index, free)) = self.free_slot(self.free) => {
                self.put(index, Content::Waker(waker.clone()));
                (list.newest, self.free) = (index, free);
                self.in_use += 1;
            }
            _ => self.register_another(list, waker),
        }
    }

    /// Adds a waker to a list in which others wait, or when there is no room.
    #[inline(never)]
    fn register_another(&mut self, list: &mut WaitList, waker: &Waker) {
        let mut at = list.newest;
        while at != NONE {
            let (known, next) = self.waiter(at);
            if matches!(self.content(known), Some(Content::Waker(known)) if known.will_wake(waker)) {
                return;
            }
            at = next;
        }
        let room = self.free_slot(self.free).and_then(|(index, next)| Some((index, self.free_slot(next)?)));
        let Some((index, (link, free))) = room else { return self.displace_oldest(list, waker) };
        self.put(index, Content::Waker(waker.clone()));
        self.put(link, Content::Link { waker: index, next: list.newest });
        (list.newest, self.free) = (link, free);
        self.in_use += 1;
    }

    /// Every waiter of `list` moves one place on, and the oldest, who has none any more, is woken.
    fn displace_oldest(&mut self, list: &WaitList, waker: &Waker) {
        let (mut displaced, mut at) = (waker.clone(), list.newest);
        while at != NONE {
            let (known, next) = self.waiter(at);
            if let Some(Slot { content: Content::Waker(known) }) = self.slots.get_mut(place(known)) {
                core::mem::swap(known, &mut displaced);
            }
            at = next;
        }
        displaced.wake();
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

    /// How many wakers there are.
    pub fn in_use(&self) -> usize {
        self.in_use.into()
    }

    /// How many wakers the pool can hold if each waits alone. Each that waits where another does already takes the room of two.
    pub fn capacity(&self) -> usize {
        self.slots.len().min(NONE.into())
    }

    /// Frees every slot of `list` and gives its waker to `each`.
    fn drain(&mut self, list: &mut WaitList, each: impl Fn(Waker)) {
        let mut at = core::mem::replace(&mut list.newest, NONE);
        // Ends: each round frees a slot, and a free one ends the walk.
        while at != NONE {
            let (known, next) = self.waiter(at);
            if known == NONE {
                return;
            }
            if known != at {
                self.give(at);
            }
            if let Some(Content::Waker(waker)) = self.give(known) {
                self.in_use -= 1;
                each(waker);
            }
            at = next;
        }
    }

    fn content(&self, index: u16) -> Option<&Content> {
        self.slots.get(place(index)).map(|slot| &slot.content)
    }

    /// Where the waker of the waiter `at` is, `NONE` for no waiter, and which one came before it.
    #[inline]
    fn waiter(&self, at: u16) -> (u16, u16) {
        match self.content(at) {
            Some(Content::Link { waker, next }) => (*waker, *next),
            Some(Content::Waker(_)) => (at, NONE),
            None => (NONE, NONE),
        }
    }

    /// `index`, if it is a free slot, and the next free one.
    #[inline]
    fn free_slot(&self, index: u16) -> Option<(u16, u16)> {
        match self.waiter(index) {
            (NONE, next) if index != NONE => Some((index, next)),
            _ => None,
        }
    }

    #[inline]
    fn put(&mut self, index: u16, content: Content) {
        if let Some(slot) = self.slots.get_mut(place(index)) {
            slot.content = content;
        }
    }

    /// Gives a slot back that is not free; what was in it.
    #[inline]
    fn give(&mut self, index: u16) -> Option<Content> {
        let slot = self.slots.get_mut(place(index))?;
        let content = core::mem::replace(slot, Slot::free(self.free)).content;
        self.free = index;
        Some(content)
    }
}

/// Where the slot `index` lies; `NONE` lies nowhere, even where the storage is longer.
#[inline]
fn place(index: u16) -> usize {
    if index == NONE { usize::MAX } else { index.into() }
}
