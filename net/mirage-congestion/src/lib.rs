#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
extern crate alloc;

mod congestion;
mod hystart;
mod reno;
#[cfg(feature = "testing")]
pub mod testing;

pub use congestion::{Ack, Congestion, Flight, Memory, Rate, Signal};
pub use hystart::HyStart;
pub use reno::Reno;
