//! The instructions that Rust has no words for.

pub(crate) mod port;
pub(crate) mod segments;
