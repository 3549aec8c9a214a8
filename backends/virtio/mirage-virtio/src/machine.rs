//! The virtual machine: an x86-64 PC, or as much of one as the host gives.

mod boot;
pub mod console;
mod cpu;
mod devices;
mod exit;
mod interrupts;
mod memory;
mod single;

pub use boot::Boot;
pub use exit::exit;
