//! Where the interrupts of devices and of the timer enter.
//!
//! The handlers are assembly, so that no register but those they save is touched: above all none of the wide ones.

use core::arch::naked_asm;

use super::lines::{FIRST_VECTOR, LINES, PENDING};
use crate::machine::cpu::apic;

/// Where the interrupt `vector` enters.
pub(super) fn of(vector: u8) -> u64 {
    match vector.checked_sub(FIRST_VECTOR) {
        Some(line) if line < LINES => (entries as *const ()).addr() as u64 + u64::from(line) * ENTRY_BYTES,
        _ => (ignore as *const ()).addr() as u64,
    }
}

/// One call for each line; by its return address the handler knows which it was.
#[unsafe(naked)]
extern "C" fn entries() {
    naked_asm!(".rept {count}", "call {handler}", ".endr", count = const LINES, handler = sym handler)
}

/// The bytes of a call.
const ENTRY_BYTES: u64 = 5;

/// Sets the line's bit and says that the interrupt is over.
#[unsafe(naked)]
extern "C" fn handler() {
    naked_asm!(
        "push rax",
        "push rcx",
        "mov rax, [rsp + 16]",
        "lea rcx, [rip + {entries}]",
        "sub eax, ecx",
        // A fifth, exact below 2¹⁶; the return address is that after the line's own call.
        "imul eax, eax, 52429",
        "shr eax, 18",
        "dec eax",
        "lock bts qword ptr [rip + {pending}], rax",
        "mov eax, {end_of_interrupt}",
        "mov dword ptr [rax], 0",
        "pop rcx",
        "pop rax",
        "add rsp, 8",
        "iretq",
        entries = sym entries,
        pending = sym PENDING,
        end_of_interrupt = const apic::END_OF_INTERRUPT,
    )
}

/// For interrupts that nobody asked for.
#[unsafe(naked)]
extern "C" fn ignore() {
    naked_asm!("iretq")
}
