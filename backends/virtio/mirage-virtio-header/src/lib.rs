#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod header;

pub use header::{LEN, LEN_WITH_BUFFERS, outgoing, received};
