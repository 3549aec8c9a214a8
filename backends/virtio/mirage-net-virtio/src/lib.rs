#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod error;
mod features;
mod gather;
mod nic;
mod options;
mod plan;
mod receive;
mod room;
mod shared;
mod transmit;
mod wakers;

pub use error::Error;
pub use nic::Nic;
pub use options::Options;
pub use receive::NicReceive;
pub use transmit::NicTransmit;
