//! The ports of the PC.

use core::arch::asm;

/// A port, read and written in pieces of 8, 16 or 32 bits.
///
/// Whoever makes one says that what is done with it does not harm memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port(u16);

impl Port {
    /// The port with this number.
    ///
    /// # Safety
    /// No device behind this port may change memory that Rust knows of, whatever is written to it.
    pub(crate) const unsafe fn new(number: u16) -> Self {
        Self(number)
    }

    /// The port `offset` further on, of the same device.
    pub(crate) const fn offset(self, offset: u16) -> Self {
        Self(self.0 + offset)
    }

    /// Writes a byte.
    pub(crate) fn write8(self, value: u8) {
        // SAFETY: the port is harmless, as `new` was promised.
        unsafe { asm!("out dx, al", in("dx") self.0, in("al") value, options(nomem, nostack, preserves_flags)) };
    }

    /// Writes 16 bits.
    pub(crate) fn write16(self, value: u16) {
        // SAFETY: the port is harmless, as `new` was promised.
        unsafe { asm!("out dx, ax", in("dx") self.0, in("ax") value, options(nomem, nostack, preserves_flags)) };
    }

    /// Writes 32 bits.
    pub(crate) fn write32(self, value: u32) {
        // SAFETY: the port is harmless, as `new` was promised.
        unsafe { asm!("out dx, eax", in("dx") self.0, in("eax") value, options(nomem, nostack, preserves_flags)) };
    }

    /// Reads 32 bits.
    pub(crate) fn read32(self) -> u32 {
        let value;
        // SAFETY: the port is harmless, as `new` was promised.
        unsafe { asm!("in eax, dx", in("dx") self.0, out("eax") value, options(nomem, nostack, preserves_flags)) };
        value
    }

    /// Reads a byte.
    pub(crate) fn read8(self) -> u8 {
        let value;
        // SAFETY: the port is harmless, as `new` was promised.
        unsafe { asm!("in al, dx", in("dx") self.0, out("al") value, options(nomem, nostack, preserves_flags)) };
        value
    }
}
