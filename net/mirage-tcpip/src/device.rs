//! The device, shared by those who poll the stack, who send datagrams and who read where frames lie.

use core::cell::{RefCell, RefMut};

use mirage_net::Net;
use mirage_tcp::{Frames, Keeper};
use mirage_waker::lent;

/// The device of a stack.
pub(crate) struct Device<N>(RefCell<N>);

impl<N> Device<N> {
    pub(crate) const fn new(device: N) -> Self {
        Self(RefCell::new(device))
    }

    /// The device, for the time of a call: nobody keeps it over another one.
    #[inline]
    pub(crate) fn lent(&self) -> RefMut<'_, N> {
        lent(&self.0)
    }
}

impl<N: Net> Frames for Device<N> {
    fn visit(&self, visit: &mut dyn FnMut(&dyn Keeper)) {
        visit(self.lent().split().0);
    }
}
