#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod abi;
mod abi_note;
mod boot;
mod clock;
mod console;
mod devices;
mod entropy;
mod entry;
mod handle;
#[cfg(target_arch = "x86_64")]
mod hvt;
mod machine;
mod manifest;
mod ready_set;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod spt;
#[cfg(feature = "testing")]
pub mod testing;

pub use abi::{Abi, Error};
pub use abi_note::AbiNote;
pub use boot::{Boot, CommandLineError};
pub use clock::{MonotonicClock, WallClock};
pub use console::Console;
pub use devices::{Devices, Kind};
pub use entropy::ProcessorEntropy;
pub use handle::Handle;
#[cfg(target_arch = "x86_64")]
pub use hvt::Hvt;
pub use machine::{Machine, Wakes};
pub use manifest::{Device, Manifest};
pub use ready_set::ReadySet;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub use spt::Spt;
