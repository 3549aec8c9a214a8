//! A few entries in lent slots, those in use first.

use managed::ManagedSlice;

use crate::TableFull;

#[derive(Debug)]
pub(crate) struct Table<'s, T> {
    /// Invariant: no `Some` behind a `None`.
    slots: ManagedSlice<'s, Option<T>>,
}

impl<'s, T> Table<'s, T> {
    pub(crate) fn new(mut slots: ManagedSlice<'s, Option<T>>) -> Self {
        slots.iter_mut().for_each(|slot| *slot = None);
        Self { slots }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map_while(Option::as_ref)
    }

    /// Puts `item` before the first entry that comes `after` it.
    pub(crate) fn insert(&mut self, item: T, after: impl Fn(&T) -> bool) -> Result<(), TableFull> {
        let used = self.iter().count();
        let at = self.iter().position(after).unwrap_or(used);
        let moved = self.slots.get_mut(at..=used).ok_or(TableFull)?;
        let mut carried = Some(item);
        moved.iter_mut().for_each(|slot| core::mem::swap(slot, &mut carried));
        Ok(())
    }

    /// Takes out the first entry that `is` meant; whether there was one.
    pub(crate) fn remove(&mut self, is: impl Fn(&T) -> bool) -> bool {
        let used = self.iter().count();
        let Some(at) = self.iter().position(is) else { return false };
        let mut carried = None;
        let moved = self.slots.get_mut(at..used).unwrap_or_default();
        moved.iter_mut().rev().for_each(|slot| core::mem::swap(slot, &mut carried));
        true
    }
}
