#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod cubic;
mod curve;
mod tick;

pub use cubic::Cubic;
