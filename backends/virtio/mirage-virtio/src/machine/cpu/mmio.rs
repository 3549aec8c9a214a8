//! Registers that lie in memory.

use core::marker::PhantomData;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// A register of the type `T`.
#[derive(Debug)]
pub(crate) struct Mmio<T>(usize, PhantomData<T>);

impl<T> Clone for Mmio<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Mmio<T> {}

impl<T> Mmio<T> {
    /// The register at `address`.
    ///
    /// # Safety
    /// There must be a register of this size there, mapped and aligned, for ever. Whatever is written to it must not make a
    /// device change memory that Rust knows of.
    pub(crate) const unsafe fn new(address: usize) -> Self {
        Self(address, PhantomData)
    }

    /// Reads it.
    pub(crate) fn read(self) -> T {
        // SAFETY: the register is there, as `new` was promised.
        unsafe { with_exposed_provenance::<T>(self.0).read_volatile() }
    }

    /// Writes it.
    pub(crate) fn write(self, value: T) {
        // SAFETY: the register is there and harmless, as `new` was promised.
        unsafe { with_exposed_provenance_mut::<T>(self.0).write_volatile(value) };
    }
}
