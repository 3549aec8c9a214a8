#![doc = include_str!("../README.md")]
#![no_std]
#![deny(unsafe_code)]

mod copy;
mod sequence;
#[allow(unsafe_code)]
mod simd;
mod sum;
mod whole;

pub use copy::{copy, copy_and_sum, copy_and_sum_short, copy_short};
pub use sequence::SequenceNumber;
pub use sum::Sum;
pub use whole::{checksum, update, verify};
