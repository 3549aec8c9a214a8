#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod block;
mod error;

pub use block::{Block, Discard, Flush, Info};
pub use error::{Error, ErrorKind, ErrorType};
