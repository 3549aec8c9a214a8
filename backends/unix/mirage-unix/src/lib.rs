#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a crate for hosts with std")]

mod clock;
mod console;
mod entropy;
mod reactor;

pub use clock::{MonotonicClock, WallClock};
pub use console::Console;
pub use entropy::KernelEntropy;
pub use reactor::{Direction, Interrupt, Reactor, Registered};
