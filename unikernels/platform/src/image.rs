//! What every bootable target has in common.
//!
//! Where `unix` is on, too, there is no image: what can be tested on a host is all that is left.

#[cfg_attr(feature = "unix", allow(dead_code, reason = "only its tests use it"))]
mod backtrace;
#[cfg_attr(feature = "unix", allow(dead_code, reason = "only its tests use it"))]
mod memory;
mod note;

#[cfg(not(feature = "unix"))]
mod boot;
#[cfg(not(feature = "unix"))]
mod console;
#[cfg(not(feature = "unix"))]
mod heap;
#[cfg(not(any(feature = "unix", test)))]
mod items;
#[cfg(not(feature = "unix"))]
mod memory_map;
#[cfg(not(feature = "unix"))]
mod net;
#[cfg(not(any(feature = "unix", test)))]
mod panic_text;
#[cfg(not(feature = "unix"))]
mod stacks;
#[cfg(not(feature = "unix"))]
mod tables;
#[cfg_attr(feature = "unix", allow(dead_code, reason = "only its tests use it"))]
mod utf8;

#[cfg(not(feature = "unix"))]
pub(crate) use boot::{boot, boot_local};
#[cfg(not(feature = "unix"))]
pub(crate) use console::print;
#[cfg(not(feature = "unix"))]
pub(crate) use memory_map::*;
pub use note::{Note, length};
#[cfg(not(feature = "unix"))]
pub(crate) use stacks::Assemble;
