//! The model-specific registers.

use core::arch::asm;

/// Reads the register `number`.
///
/// # Safety
/// The processor must have it, else it raises a fault.
pub(crate) unsafe fn read(number: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the register exists, as the caller promises.
    unsafe {
        asm!("rdmsr", in("ecx") number, out("eax") low, out("edx") high, options(nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Writes the register `number`.
///
/// # Safety
/// The processor must have it, and what it does with `value` must be right for this program.
pub(crate) unsafe fn write(number: u32, value: u64) {
    // SAFETY: the register exists and the value is right, as the caller promises.
    unsafe {
        asm!(
            "wrmsr",
            in("ecx") number,
            in("eax") value as u32,
            in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags),
        );
    }
}
