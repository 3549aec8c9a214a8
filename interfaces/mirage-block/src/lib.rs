#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
extern crate alloc;

mod block;
mod error;
#[cfg(feature = "testing")]
pub mod testing;

pub use block::{Block, Discard, Flush, Info};
pub use error::{Error, ErrorKind, ErrorType};
