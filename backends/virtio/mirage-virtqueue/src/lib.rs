#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod error;
mod handshake;
mod layout;
mod memory;
mod queue;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Broken, Full, Refused};
pub use handshake::{ANY_LAYOUT, EVENT_INDEX, VERSION_1, accept, begin, finish, reset};
pub use memory::Memory;
pub use queue::{Piece, Queue, Used};
