//! What the stack shares with its handles, whatever the device is.

use core::cell::{Cell, RefCell, RefMut};
use core::task::Waker;

use crate::machines::Machines;

/// The machines, and the waker of whoever polls the stack.
pub(crate) struct Shared<'s> {
    machines: RefCell<Machines<'s>>,
    driver: Cell<Option<Waker>>,
}

impl<'s> Shared<'s> {
    pub(crate) fn new(machines: Machines<'s>) -> Self {
        Self { machines: RefCell::new(machines), driver: Cell::new(None) }
    }

    /// All machines, for the time of a call: nobody keeps them over another one.
    pub(crate) fn machines(&self) -> RefMut<'_, Machines<'s>> {
        lent(&self.machines)
    }

    /// Remembers who polls the stack.
    pub(crate) fn attend(&self, waker: &Waker) {
        let known = self.driver.take().filter(|known| known.will_wake(waker));
        self.driver.set(Some(known.unwrap_or_else(|| waker.clone())));
    }

    /// Has the stack polled soon: a handle left something to do.
    #[inline(never)]
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.driver.take() {
            waker.wake();
        }
    }
}

/// What is in `cell`, for the time of a call: nobody keeps it over another one.
// One place that can fail, in one piece of code. The library's own failure would bring its own text with it.
#[inline(never)]
pub(crate) fn lent<T>(cell: &RefCell<T>) -> RefMut<'_, T> {
    match cell.try_borrow_mut() {
        Ok(lent) => lent,
        Err(_) => panic!("the stack is in use"),
    }
}
