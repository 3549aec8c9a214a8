//! The virtual machine: an x86-64 PC, or as much of one as the host gives.

mod boot;
mod clock;
pub mod console;
mod cpu;
mod devices;
mod dma;
mod entropy;
mod exit;
mod interrupts;
mod memory;
mod single;

pub use boot::Boot;
pub use clock::{MonotonicClock, WallClock};
pub use console::Console;
pub use devices::{Device, DeviceTransport, devices};
pub use dma::Dma;
pub use entropy::HardwareEntropy;
pub use exit::exit;
pub use interrupts::{Line, ring, wait};
