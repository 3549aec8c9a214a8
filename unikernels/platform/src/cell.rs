//! Cells whose failures, which never happen, bring no text of the library with them.

use core::cell::{OnceCell, RefCell, RefMut};

/// What is in `cell`, for the time of a call during which no foreign code runs.
#[inline]
pub(crate) fn lent<T>(cell: &RefCell<T>) -> RefMut<'_, T> {
    match cell.try_borrow_mut() {
        Ok(lent) => lent,
        Err(_) => in_use(),
    }
}

#[cold]
#[inline(never)]
fn in_use() -> ! {
    panic!("it is in use")
}

/// What is in `cell`; if that is nothing, what `make` makes. The library's own way also minds a `make` that asks for the same
/// cell, with a panic and what is to be dropped before it.
#[inline]
pub(crate) fn made<T>(cell: &OnceCell<T>, make: impl FnOnce() -> T) -> &T {
    if let Some(made) = cell.get() {
        return made;
    }
    // Where `make` has filled the cell itself, its own stays: for good, like all that is kept so.
    core::mem::forget(cell.set(make()));
    match cell.get() {
        Some(made) => made,
        None => unreachable!(),
    }
}
