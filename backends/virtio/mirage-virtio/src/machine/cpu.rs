//! The processor: what Rust has no words for.

pub(crate) mod apic;
pub(crate) mod extended;
pub(crate) mod gates;
pub(crate) mod instruction;
pub(crate) mod io_apic;
pub(crate) mod mmio;
pub(crate) mod msr;
pub(crate) mod port;
pub(crate) mod segments;
