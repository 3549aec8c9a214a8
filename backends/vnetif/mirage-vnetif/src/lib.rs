#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cable;

pub use cable::{Cable, CableEnd, CableReceive, CableTransmit, cable};
