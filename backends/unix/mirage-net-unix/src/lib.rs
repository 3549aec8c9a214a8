#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a crate for hosts with std")]

mod kernel;
mod options;
mod queue;
mod receive;
mod ring;
mod shared;
mod tap;
mod transmit;

pub use options::Options;
pub use receive::TapReceive;
pub use tap::Tap;
pub use transmit::TapTransmit;
