#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(
    not(any(feature = "unix", feature = "image")),
    allow(dead_code, unused_variables, reason = "a tool without a target uses a part")
)]

extern crate alloc;
#[cfg(any(feature = "unix", test))]
extern crate std;

mod app;
pub mod arguments;
#[cfg(feature = "network")]
mod boot;
mod cell;
mod context;
mod device;
mod entry;
pub mod executor;
mod exit;
#[cfg(feature = "image")]
#[doc(hidden)]
pub mod image;
pub mod logger;
pub mod network;
#[cfg(all(any(feature = "solo5-spt", feature = "solo5-hvt"), not(feature = "unix")))]
#[doc(hidden)]
pub mod solo5;
mod stats;
mod target;
mod text;
#[cfg(feature = "unix")]
mod unix;
#[cfg(all(feature = "virtio", not(feature = "unix")))]
#[doc(hidden)]
pub mod virtio;

pub use app::{About, App, Local, Networked};
pub use arguments::{Argument, Arguments, BadArgument};
pub use context::Context;
pub use device::{Device, DeviceError, DeviceKind};
#[cfg(feature = "network")]
pub use device::{Disk, Nic};
pub use executor::{Permit, Permits, Spawner, Timer, yield_now};
pub use exit::Exit;
pub use stats::Stats;
#[cfg(feature = "unix")]
pub use unix::{boot, boot_local};

pub use log;
#[cfg(feature = "network")]
pub use mirage_block as block;
pub use mirage_clock as clock;
#[cfg(feature = "network")]
pub use mirage_net as net;
pub use mirage_stack as stack;
pub use mirage_tcp as tcp;

pub use network::tcpip;
