//! What the stack shares with its handles, whatever the device is.

use core::cell::{RefCell, RefMut};
use core::task::Waker;

use mirage_tcp::{Profile, Tcp};
use mirage_waker::lent;

use crate::machines::Machines;

/// The machines.
pub(crate) struct Shared<'s, P: Profile> {
    machines: RefCell<Machines<'s, P>>,
}

impl<'s, P: Profile> Shared<'s, P> {
    pub(crate) fn new(machines: Machines<'s, P>) -> Self {
        Self { machines: RefCell::new(machines) }
    }

    /// All machines, for the time of a call: nobody keeps them over another one. Whoever has them may stir them up.
    pub(crate) fn machines(&self) -> RefMut<'_, Machines<'s, P>> {
        let mut machines = lent(&self.machines);
        machines.stirred.stir();
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

    /// Has the stack polled soon: a handle left something to do. Nobody has the machines meanwhile.
    #[inline]
    pub(crate) fn wake(&self) {
        let driver = self.undisturbed().driver.take();
        wake(driver);
    }
}

/// Wakes who polls the stack, unless he was before: mostly he was. He may poll it at once, so nobody has the machines meanwhile.
#[inline]
pub(crate) fn wake(driver: Option<Waker>) {
    if let Some(driver) = driver {
        driver.wake();
    }
}
