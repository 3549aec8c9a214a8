//! Where a machine waits when it has nothing to do.

use alloc::boxed::Box;

use mirage_clock::Instant;

/// What a target gives the executor: the time, and a place to wait.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a place for the executor to wait in")]
pub trait Park {
    /// The time since the clock's start; never goes back.
    fn now(&self) -> Instant;

    /// Waits until `until` (without end for `None`), until a device is ready or until the unparker is called; wakes the
    /// tasks of devices that are ready. It may return early.
    ///
    /// `idle` tells whether there is nothing to do. It must be asked after the unparker has begun to end the wait; when
    /// it says no, only look at the devices and return.
    fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool);

    /// What ends [`park`](Self::park) from another thread or an interrupt; called after every wake-up, so it must be
    /// cheap while nobody waits.
    fn unparker(&self) -> Box<dyn Fn() + Send + Sync>;
}
