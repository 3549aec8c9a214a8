#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "build")]
extern crate alloc;
#[cfg(feature = "build")]
extern crate std;

#[cfg(feature = "build")]
pub mod build;
mod files;
mod order;

pub use files::{File, Files};
pub use mirage_kv::{Digest, ErrorKind, Key, Modified};
