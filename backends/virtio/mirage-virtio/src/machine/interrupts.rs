//! Interrupts and exceptions.

mod fault;

use super::cpu::gates::{self, Gate};
use super::cpu::segments::{self, Stack};

/// Opens the gates. Interrupts stay off.
pub(crate) fn load() {
    segments::load();
    // SAFETY: a fault never returns, and `ignore` does nothing.
    unsafe { gates::load(gate) };
}

/// What is behind each vector.
fn gate(vector: u8) -> Gate {
    match vector {
        fault::NMI | fault::DOUBLE_FAULT => Gate::new(fault::entry(vector), Stack::Emergencies),
        0..fault::EXCEPTIONS => Gate::new(fault::entry(vector), Stack::Faults),
        _ => Gate::new((ignore as *const ()).addr() as u64, Stack::Interrupts),
    }
}

/// For interrupts that nobody asked for.
#[unsafe(naked)]
extern "C" fn ignore() {
    core::arch::naked_asm!("iretq")
}
