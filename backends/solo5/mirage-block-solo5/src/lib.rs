#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod disk;
mod error;

pub use disk::Disk;
pub use error::OpenError;
