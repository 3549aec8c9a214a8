#![doc = include_str!("../README.md")]
#![no_std]

mod bell;

pub use bell::Bell;
