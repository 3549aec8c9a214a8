//! The gates: where interrupts and exceptions enter.

use core::arch::asm;
use core::cell::UnsafeCell;

use super::segments::{CODE, Pointer, Stack};
use crate::machine::single::Single;

/// A gate (Intel SDM volume 3 §7.14.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Gate([u64; 2]);

impl Gate {
    /// A gate to `handler` that switches to `stack` and lets no interrupt in until the handler returns.
    pub(crate) const fn new(handler: u64, stack: Stack) -> Self {
        let low = handler & 0xffff
            | (CODE as u64) << 16
            | (stack as u64) << 32
            | INTERRUPT_GATE << 40
            | (handler >> 16 & 0xffff) << 48;
        Self([low, handler >> 32])
    }
}

// SAFETY: only the one processor uses it.
static GATES: Single<UnsafeCell<[Gate; 256]>> = unsafe { Single::new(UnsafeCell::new([Gate([0; 2]); 256])) };

/// Makes the gates of all 256 vectors what `gate` says.
///
/// # Safety
/// What enters by a gate must keep all registers and the memory that the interrupted program uses, or never return.
pub(crate) unsafe fn load(gate: impl Fn(u8) -> Gate) {
    // SAFETY: interrupts are off, so the processor does not look at the gates, and this is the only reference.
    let gates = unsafe { &mut *GATES.get() };
    for (vector, entry) in (0..=u8::MAX).zip(gates.iter_mut()) {
        *entry = gate(vector);
    }
    let pointer = Pointer { limit: (size_of_val(gates) - 1) as u16, address: GATES.get().cast_const().cast() };
    // SAFETY: the gates live for ever, and the caller vouches for what is behind them.
    unsafe { asm!("lidt [{}]", in(reg) &raw const pointer, options(nostack, preserves_flags)) };
}

const INTERRUPT_GATE: u64 = 0x8e;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_handler_is_scattered_as_the_processor_wants_it() {
        let gate = Gate::new(0x1234_5678_9abc_def0, Stack::Faults);
        assert_eq!(gate, Gate([0x9abc_8e02_0008_def0, 0x1234_5678]));
    }
}
