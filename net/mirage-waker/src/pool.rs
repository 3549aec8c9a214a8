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
        if list.newest == NONE {
            let index = self.free;
            let Some(Slot { content: content @ Content::Link { .. } }) = self.slots.get_mut(place(index)) else {
                return waker.wake_by_ref();
            };
            let Content::Link { next, .. } = core::mem::replace(content, Content::Waker(waker.clone())) else { return };
            (list.newest, self.free) = (index, next);
            self.in_use += 1;
            return;
        }
        match self.content(list.newest) {
            // Mostly a task waits alone, and often it asks again.
            Some(Content::Waker(known)) if known.will_wake(waker) => {}
            _ => self.register_another(list, waker),
        }
    }

    /// Adds a waker to a list in which others wait.
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
        let mut waker = waker.clone();
        // Two slots are wanted: the first free one for the waker, and the one behind it for the link.
        let (index, (_, link)) = (self.free, self.waiter(self.free));
        let (_, free) = self.waiter(link);
        if let Some(Slot { content: Content::Link { waker: known, next } }) = self.slots.get_mut(place(link)) {
            (*known, *next) = (index, list.newest);
            self.put(index, waker);
            (list.newest, self.free) = (link, free);
            return;
        }
        // There is no room: every waiter moves one place on, and the oldest, who has none any more, is woken.
        at = list.newest;
        while at != NONE {
            let (known, next) = self.waiter(at);
            if let Some(Slot { content: Content::Waker(known) }) = self.slots.get_mut(place(known)) {
                core::mem::swap(known, &mut waker);
            }
            at = next;
        }
        waker.wake();
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
    #[inline(never)]
    fn drain(&mut self, list: &mut WaitList, each: impl Fn(Waker)) {
        let mut at = core::mem::replace(&mut list.newest, NONE);
        // Mostly a task waits alone.
        if let Some(waker) = self.remove(at) {
            return each(waker);
        }
        loop {
            let (known, next) = self.waiter(at);
            // Ends: what is given back here has no waiter any more.
            if known == NONE {
                return;
            }
            if let Some(Slot { content: Content::Link { waker, next } }) = self.slots.get_mut(place(at)) {
                (*waker, *next) = (NONE, self.free);
                self.free = at;
            }
            if let Some(waker) = self.remove(known) {
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

    /// Puts a waker into a free slot.
    #[inline]
    fn put(&mut self, index: u16, waker: Waker) {
        if let Some(Slot { content: content @ Content::Link { .. } }) = self.slots.get_mut(place(index)) {
            *content = Content::Waker(waker);
            self.in_use += 1;
        }
    }

    /// Takes the waker out of a slot, which is free then; `None` and nothing happens when there is none in it.
    #[inline]
    fn remove(&mut self, index: u16) -> Option<Waker> {
        let slot = self.slots.get_mut(place(index)).filter(|slot| matches!(slot.content, Content::Waker(_)))?;
        let Slot { content: Content::Waker(waker) } = core::mem::replace(slot, Slot::free(self.free)) else {
            return None;
        };
        self.free = index;
        self.in_use -= 1;
        Some(waker)
    }
}

/// Where the slot `index` lies; `NONE` lies nowhere, even where the storage is longer.
#[inline]
fn place(index: u16) -> usize {
    if index == NONE { usize::MAX } else { index.into() }
}
