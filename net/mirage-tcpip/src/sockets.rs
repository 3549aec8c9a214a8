//! What the stack shares with its handles, whatever the device is.

use core::cell::{Cell, RefCell, RefMut};
use core::task::Waker;

use mirage_tcp::{Profile, Tcp};
use mirage_waker::lent;

use crate::machines::Machines;

/// The machines, and the waker of whoever polls the stack.
pub(crate) struct Shared<'s, P: Profile> {
    machines: RefCell<Machines<'s, P>>,
    driver: Cell<Option<Waker>>,
}

impl<'s, P: Profile> Shared<'s, P> {
    pub(crate) fn new(machines: Machines<'s, P>) -> Self {
        Self { machines: RefCell::new(machines), driver: Cell::new(None) }
    }

    /// All machines, for the time of a call: nobody keeps them over another one. Whoever has them may stir them up.
    pub(crate) fn machines(&self) -> RefMut<'_, Machines<'s, P>> {
        let mut machines = lent(&self.machines);
        machines.stirred = true;
        machines.alike.forget();
        machines
    }

    /// All machines, for who polls the stack, or leaves the layers below TCP as they are.
    #[inline]
    pub(crate) fn undisturbed(&self) -> RefMut<'_, Machines<'s, P>> {
        lent(&self.machines)
    }

    /// TCP alone, for the time of a call: the layers below are left as they are.
    #[inline]
    pub(crate) fn tcp(&self) -> RefMut<'_, Tcp<'s, P>> {
        RefMut::map(lent(&self.machines), |machines| &mut machines.tcp)
    }

    /// Remembers who polls the stack.
    #[inline]
    pub(crate) fn attend(&self, waker: &Waker) {
        match self.driver.take() {
            Some(known) if known.will_wake(waker) => self.driver.set(Some(known)),
            _ => self.driver.set(Some(waker.clone())),
        }
    }

    /// Has the stack polled soon: a handle left something to do.
    #[inline]
    pub(crate) fn wake(&self) {
        // Mostly it was woken already.
        if let Some(waker) = self.driver.take() {
            waker.wake();
        }
    }
}
