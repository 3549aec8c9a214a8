#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(any(feature = "unix", test))]
extern crate std;

mod app;
pub mod arguments;
mod context;
pub mod executor;
mod exit;
pub mod logger;
pub mod network;
mod stats;
#[cfg(feature = "unix")]
mod unix;

pub use app::{About, App, Local, Networked};
pub use arguments::{Argument, Arguments, BadArgument};
pub use context::Context;
pub use executor::{Permits, Spawner, Timer, yield_now};
pub use exit::Exit;
pub use stats::Stats;
#[cfg(feature = "unix")]
pub use unix::{boot, boot_local};

pub use log;
pub use mirage_clock as clock;
pub use mirage_stack as stack;
