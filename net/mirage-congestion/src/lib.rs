#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod congestion;
mod hystart;
mod reno;

pub use congestion::{Ack, Congestion, Flight, Rate, Signal};
pub use hystart::HyStart;
pub use reno::Reno;
