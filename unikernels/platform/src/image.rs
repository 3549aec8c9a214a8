//! What every bootable target has in common.

mod backtrace;
mod boot;
mod console;
mod heap;
#[cfg(not(any(feature = "unix", test)))]
mod items;
mod memory;
mod memory_map;
mod net;
mod note;

pub(crate) use console::print;
pub(crate) use boot::{boot, boot_local};
#[cfg(any(feature = "solo5-spt", feature = "solo5-hvt"))]
pub(crate) use memory_map::end;
#[cfg(feature = "virtio")]
pub(crate) use memory_map::stack_end;
pub(crate) use memory_map::{claim, memory, stack_top};
pub use note::{Note, length};
