//! Single instructions.

use core::arch::asm;

/// Lets interrupts in.
pub(crate) fn allow_interrupts() {
    // SAFETY: handlers keep all registers. Not `nomem`: they change memory.
    unsafe { asm!("sti", options(nostack)) };
}

/// Keeps interrupts out.
pub(crate) fn forbid_interrupts() {
    // SAFETY: harmless. Not `nomem`: what is read of memory that handlers change must be read after this.
    unsafe { asm!("cli", options(nostack)) };
}

/// Lets interrupts in and sleeps until one comes, without a gap in which one could come and be missed.
pub(crate) fn sleep() {
    // SAFETY: `sti` takes effect after the next instruction, and handlers keep all registers.
    unsafe { asm!("sti", "hlt", options(nostack)) };
}

/// The time stamp counter.
pub(crate) fn time_stamp() -> u64 {
    // SAFETY: every processor with 64 bits has it.
    unsafe { core::arch::x86_64::_rdtsc() }
}
