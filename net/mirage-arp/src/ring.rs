//! A bounded queue in lent memory.

use managed::ManagedSlice;

/// First in, first out.
#[derive(Debug)]
pub(crate) struct Ring<'s, T> {
    items: ManagedSlice<'s, Option<T>>,
    /// The oldest. Invariant: below `items.len()`, or 0.
    start: usize,
    /// Invariant: at most `items.len()`, and so many items from `start` on are `Some`.
    len: usize,
}

impl<'s, T: Copy> Ring<'s, T> {
    pub(crate) fn new(items: ManagedSlice<'s, Option<T>>) -> Self {
        Self { items, start: 0, len: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len == self.items.len()
    }

    /// Appends, or gives the item back when there is no room.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if self.is_full() {
            return Err(item);
        }
        let place = self.start + self.len;
        let place = if place >= self.items.len() { place - self.items.len() } else { place };
        match self.items.get_mut(place) {
            Some(slot) => *slot = Some(item),
            None => return Err(item),
        }
        self.len += 1;
        Ok(())
    }

    pub(crate) fn first(&self) -> Option<T> {
        if self.len == 0 { None } else { self.items.get(self.start).copied().flatten() }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.first()?;
        self.start = if self.start + 1 == self.items.len() { 0 } else { self.start + 1 };
        self.len -= 1;
        Some(item)
    }
}
