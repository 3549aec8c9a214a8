#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
extern crate alloc;

mod flow;
#[cfg(feature = "testing")]
pub mod testing;

pub use embedded_io_async::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
pub use flow::{Direction, Flow, Shutdown, Split};
