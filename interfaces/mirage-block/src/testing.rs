//! A disk in memory that can lose its power, and the exam for every disk.
//!
//! This module needs the `testing` feature, which needs an allocator.

mod discard;
mod exam;
mod fake;
mod flush;
mod noise;

pub use discard::examine_discard;
pub use exam::examine;
pub use fake::FakeDisk;
pub use flush::examine_flush;
