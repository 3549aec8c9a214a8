//! The processor: what Rust has no words for.

pub(crate) mod extended;
pub(crate) mod gates;
pub(crate) mod msr;
pub(crate) mod port;
pub(crate) mod segments;
