#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod bell;
#[cfg(target_arch = "x86_64")]
mod machine;

pub use bell::Bell;
#[cfg(target_arch = "x86_64")]
pub use machine::*;
