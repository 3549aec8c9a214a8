#![doc = include_str!("../README.md")]
#![no_std]

mod disk;
mod error;
mod features;
mod request;
mod shape;

pub use disk::Disk;
pub use error::Error;
