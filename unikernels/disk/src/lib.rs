#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod check;
mod failure;
mod note;
mod pattern;

pub use check::{fill, refusals, verify};
pub use failure::Failure;
pub use note::{Note, NoteError, read_note};
