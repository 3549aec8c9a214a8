//! What the stack shares with its handles, whatever the device is.

use core::cell::{Cell, RefCell, RefMut};
use core::task::Waker;

use mirage_tcp::{Profile, Tcp};
use mirage_waker::lent;

use crate::machines::Machines;

/// The machines, and the waker of whoever polls the stack.
pub(crate) struct Shared<'s, P: Profile> {
    machines: RefCell<Machines<'s, P>>,
    driver: RefCell<Option<Waker>>,
    /// Whether there is one.
    attended: Cell<bool>,
}

impl<'s, P: Profile> Shared<'s, P> {
    pub(crate) fn new(machines: Machines<'s, P>) -> Self {
        Self { machines: RefCell::new(machines), driver: RefCell::new(None), attended: Cell::new(false) }
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
        let mut driver = lent(&self.driver);
        if driver.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let former = driver.replace(waker.clone());
        self.attended.set(true);
        drop(driver);
        drop(former);
    }

    /// Has the stack polled soon: a handle left something to do.
    #[inline]
    pub(crate) fn wake(&self) {
        // Mostly it was woken already.
        if !P::STRAIGHT || self.attended.get() {
            self.wake_driver();
        }
    }

    #[inline(never)]
    fn wake_driver(&self) {
        self.attended.set(false);
        let driver = lent(&self.driver).take();
        if let Some(waker) = driver {
            waker.wake();
        }
    }
}
