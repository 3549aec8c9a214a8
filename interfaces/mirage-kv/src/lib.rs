#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod error;
mod key;
mod read;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Error, ErrorKind, ErrorType};
pub use key::{Key, KeyError};
pub use read::{Digest, Entry, Kind, Modified, ReadOnly};
