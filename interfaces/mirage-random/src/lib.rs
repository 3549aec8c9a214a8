#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod entropy;
#[cfg(feature = "testing")]
pub mod testing;

pub use entropy::{EntropyError, EntropySource};
pub use rand_core::{self, CryptoRng, Rng, TryCryptoRng, TryRng};
