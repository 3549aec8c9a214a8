#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod duration;
#[cfg(feature = "fugit")]
mod fugit;
mod instant;
mod monotonic;
#[cfg(feature = "testing")]
pub mod testing;
mod wall;

pub use duration::Duration;
pub use instant::Instant;
pub use monotonic::{Monotonic, Sleep};
pub use wall::{Timestamp, Wall};
