//! What tasks share.

use core::cell::{RefCell, RefMut};

/// What is in `cell`, for the time of a call during which no foreign code runs: nobody keeps it over another one.
///
/// Each borrow of the standard library's brings a place that can fail, with its own text. Here is one place for all.
///
/// # Panics
/// When it is borrowed already.
pub fn lent<T>(cell: &RefCell<T>) -> RefMut<'_, T> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_lent_again() {
        let cell = RefCell::new(0);
        *lent(&cell) += 1;
        *lent(&cell) += 1;
        assert_eq!(cell.into_inner(), 2);
    }

    #[test]
    #[should_panic(expected = "it is in use")]
    fn what_is_lent_is_not_lent_twice() {
        let cell = RefCell::new(0);
        let _first = lent(&cell);
        let _second = lent(&cell);
    }
}
