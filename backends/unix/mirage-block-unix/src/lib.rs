#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

mod disk;
mod error;
mod open;
mod options;

pub use disk::Disk;
pub use error::{DiskError, OpenError};
pub use options::Options;
