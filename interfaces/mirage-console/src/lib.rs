#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod console;
#[cfg(feature = "testing")]
pub mod testing;

pub use console::Console;
pub use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write};
