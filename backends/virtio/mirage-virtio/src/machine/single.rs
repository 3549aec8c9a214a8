//! Statics of a program on one processor.

use core::ops::Deref;

/// Something that one processor has for itself, so that a static may hold it though it is not `Sync`.
#[derive(Debug)]
pub(crate) struct Single<T>(T);

impl<T> Single<T> {
    /// Wraps `value`.
    ///
    /// # Safety
    /// Only one thread may ever use it. An image has one processor and no threads, and its interrupt handlers, written in
    /// assembly, touch nothing but [`PENDING`](super::interrupts).
    pub(crate) const unsafe fn new(value: T) -> Self {
        Self(value)
    }
}

// SAFETY: there is one thread, as `new` was promised.
unsafe impl<T> Sync for Single<T> {}

impl<T> Deref for Single<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
