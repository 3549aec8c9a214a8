#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod nic;
mod queue;
mod receive;
mod shared;
mod transmit;

pub use nic::{Nic, OpenError};
pub use receive::NicReceive;
pub use transmit::NicTransmit;
