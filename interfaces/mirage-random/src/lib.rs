#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod entropy;
mod generator;
mod seeded;
mod self_test;
#[cfg(feature = "testing")]
pub mod testing;

pub use entropy::{EntropyError, EntropySource};
pub use generator::Generator;
pub use rand_core::{self, CryptoRng, Rng, TryCryptoRng, TryRng};
pub use seeded::SeededGenerator;
