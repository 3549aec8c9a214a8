//! What wakes a driver.

use core::task::Waker;

/// The interrupt of a device, as its driver sees it.
///
/// An interrupt says only that there may be something to see; the driver looks at its rings itself. Handles are shared:
/// a clone is the same bell. The bell acknowledges the device's interrupt before it wakes: the driver need not.
#[diagnostic::on_unimplemented(message = "`{Self}` is not the interrupt of a device")]
pub trait Bell {
    /// Keeps `waker` in the place of the last one and wakes it, once, when the device rings the next time.
    ///
    /// The order is: arm the device's interrupt, set the waker, look at the ring once more, and only then wait.
    fn set_waker(&self, waker: &Waker);
}
