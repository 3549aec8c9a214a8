#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod draws;
mod secret;

pub use draws::Draws;
pub use secret::Secret;
