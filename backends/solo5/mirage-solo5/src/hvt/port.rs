//! The way out of the machine.

/// Makes the hypercall `number` with the argument at `argument`; returns when the tender has answered.
///
/// Safe for [`hypercall`](super::hypercall) alone, which calls it with arguments of the right shape.
pub(super) fn call(number: u16, argument: *mut u8) {
    // The machine's memory ends at 4 GiB at the latest, so that no address is cut.
    let address = argument.expose_provenance() as u32;
    // SAFETY: the tender reads and writes the argument and the memory that it names, and no register. Without `nomem`
    // the compiler knows that it does.
    unsafe {
        core::arch::asm!("out dx, eax", in("dx") BASE + number, in("eax") address, options(nostack, preserves_flags));
    }
}

/// Wakes the tender's thread that takes frames from the ring. The host does it without the tender.
pub(super) fn kick() {
    // SAFETY: it changes nothing in the machine.
    unsafe {
        core::arch::asm!("out dx, eax", in("dx") KICK, in("eax") 0, options(nostack, preserves_flags));
    }
}

/// The port of a hypercall that there is not; they count from here.
const BASE: u16 = 0x500;
const KICK: u16 = 0x600;
