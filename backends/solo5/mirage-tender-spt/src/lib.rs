#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a crate for hosts with std")]

mod block;
mod boot;
mod descriptors;
mod elf;
mod filter;
mod image;
mod launch;
mod machine;
mod manifest;
mod memory;
mod net;
mod process;

pub use block::{Block, BlockError};
pub use elf::{Abi, SegmentFault, Target};
pub use image::{Image, ImageError};
pub use launch::{Launch, LaunchError};
pub use manifest::{Device, Kind, ManifestError};
pub use net::{Net, NetError};
