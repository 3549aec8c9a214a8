#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod wire;

mod icmp;

mod discard;
mod limit;
mod original;
mod quote;

pub use discard::Discard;
pub use icmp::{Config, Icmp, Incoming, Stats};
pub use limit::Rate;
pub use original::ErrorToSend;
