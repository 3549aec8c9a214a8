//! Interrupts and exceptions.

mod entry;
mod fault;
mod idle;
mod lines;
mod timer;

pub use idle::{ring, wait};
pub use lines::Line;

use super::cpu::gates::{self, Gate};
use super::cpu::port::Port;
use super::cpu::segments::{self, Stack};
use super::cpu::{apic, instruction};

/// Opens the gates and lets interrupts in.
pub(crate) fn load() {
    segments::load();
    // SAFETY: a fault never returns, and the handlers of interrupts keep all registers.
    unsafe { gates::load(gate) };
    // The old controllers are not used: all their inputs are masked.
    OLD_CONTROLLER.write8(0xff);
    OLD_CONTROLLER_TOO.write8(0xff);
    apic::enable();
    instruction::allow_interrupts();
}

/// What is behind each vector.
fn gate(vector: u8) -> Gate {
    match vector {
        fault::NMI | fault::DOUBLE_FAULT => Gate::new(fault::entry(vector), Stack::Emergencies),
        0..fault::EXCEPTIONS => Gate::new(fault::entry(vector), Stack::Faults),
        _ => Gate::new(entry::of(vector), Stack::Interrupts),
    }
}

// SAFETY: an interrupt controller does not touch memory.
const OLD_CONTROLLER: Port = unsafe { Port::new(0x21) };
// SAFETY: as above.
const OLD_CONTROLLER_TOO: Port = unsafe { Port::new(0xa1) };
