//! A cell whose failure, which never happens, brings no text of the library with it.

use core::cell::OnceCell;

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
