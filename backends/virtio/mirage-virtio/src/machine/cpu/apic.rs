//! The processor's own interrupt controller (Intel SDM volume 3 §11), in the mode whose registers lie in memory.

use core::arch::x86_64::__cpuid;
use core::sync::atomic::{Ordering, fence};

use super::mmio::Mmio;
use super::msr;

/// Where its end-of-interrupt register is, for handlers in assembly.
pub(crate) const END_OF_INTERRUPT: u32 = REGISTERS + 0xb0;

/// Turns it on, with nothing that interrupts yet.
pub(crate) fn enable() {
    // SAFETY: a processor with 64 bits has this register. Its value keeps the address that it has after reset, and leaves the mode
    // whose registers are not in memory, which can only be done by turning it off first.
    unsafe {
        let base = u64::from(REGISTERS) | msr::read(BASE) & BOOT_PROCESSOR;
        if msr::read(BASE) & X2APIC != 0 {
            msr::write(BASE, base);
        }
        msr::write(BASE, base | ENABLE);
    }
    SPURIOUS.write(0x100 | u32::from(SPURIOUS_VECTOR));
    LINT0.write(MASKED);
    LINT1.write(MASKED);
    TIMER.write(MASKED);
    TASK_PRIORITY.write(0);
}

/// The number of this processor, by which devices send it interrupts.
pub(crate) fn id() -> u8 {
    (ID.read() >> 24) as u8
}

/// Makes the timer interrupt by `vector` after a count, with the clock of the bus divided by 16.
pub(crate) fn count_by(vector: u8) {
    DIVIDE.write(0b0011);
    TIMER.write(vector.into());
}

/// Makes the timer count without interrupts, with the clock of the bus divided by 16.
pub(crate) fn count_silently() {
    DIVIDE.write(0b0011);
    TIMER.write(MASKED);
}

/// Makes the timer interrupt by `vector` when the time stamp counter reaches a value.
pub(crate) fn deadline_by(vector: u8) {
    TIMER.write(u32::from(vector) | DEADLINE_MODE);
    // The deadline must not be written before the mode is.
    fence(Ordering::SeqCst);
}

/// How the timer divides the clock of its bus.
pub(crate) const DIVISOR: u64 = 16;

/// Starts counting down from `count`; 0 stops.
pub(crate) fn start(count: u32) {
    INITIAL_COUNT.write(count);
}

/// How much is left to count.
pub(crate) fn left() -> u32 {
    CURRENT_COUNT.read()
}

/// Whether the timer knows deadlines.
pub(crate) fn has_deadline() -> bool {
    __cpuid(1).ecx & 1 << 24 != 0
}

/// Interrupts when the time stamp counter reaches `value`, which is not 0.
///
/// # Safety
/// The timer must know deadlines.
pub(crate) unsafe fn set_deadline(value: u64) {
    // SAFETY: a processor whose timer knows deadlines has this register.
    unsafe { msr::write(TSC_DEADLINE, value) };
}

const REGISTERS: u32 = 0xfee0_0000;
/// For interrupts that went away before they were taken: they end without a word to the controller.
const SPURIOUS_VECTOR: u8 = 0xff;
const MASKED: u32 = 1 << 16;
const DEADLINE_MODE: u32 = 0b10 << 17;

const BASE: u32 = 0x1b;
const ENABLE: u64 = 1 << 11;
const X2APIC: u64 = 1 << 10;
const BOOT_PROCESSOR: u64 = 1 << 8;
const TSC_DEADLINE: u32 = 0x6e0;

/// The register at `offset`.
const fn register(offset: u32) -> Mmio<u32> {
    // SAFETY: every PC has the controller here, and it is mapped; it does not touch memory.
    unsafe { Mmio::new(REGISTERS as usize + offset as usize) }
}

const ID: Mmio<u32> = register(0x20);
const TASK_PRIORITY: Mmio<u32> = register(0x80);
const SPURIOUS: Mmio<u32> = register(0xf0);
const TIMER: Mmio<u32> = register(0x320);
const LINT0: Mmio<u32> = register(0x350);
const LINT1: Mmio<u32> = register(0x360);
const INITIAL_COUNT: Mmio<u32> = register(0x380);
const CURRENT_COUNT: Mmio<u32> = register(0x390);
const DIVIDE: Mmio<u32> = register(0x3e0);
