//! A device that tests own, and the exam for every device.
//!
//! This module needs the `testing` feature, which needs an allocator.

mod disconnected;
mod fake;
mod keeping;
mod packet;
mod pair;
mod wakes;
mod way;

pub use disconnected::examine_disconnected;
pub use fake::{FakeFrame, FakeNet, FakeReceive, FakeTransmit};
pub use keeping::examine_keeping;
pub use pair::examine_pair;
pub use wakes::Wakes;
