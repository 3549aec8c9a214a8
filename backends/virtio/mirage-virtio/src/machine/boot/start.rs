//! From 64 bits to the program.

use core::cell::OnceCell;

use super::command_line::{Begins, CommandLine};
use super::memory_map::largest_free;
use super::physical::Physical;
use super::{Boot, multiboot, pvh};
use crate::machine::single::Single;
use crate::machine::{cpu, interrupts, memory};

/// Who loaded the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Protocol {
    Pvh,
    Multiboot,
}

#[allow(improper_ctypes, reason = "both sides are made by the same compiler")]
unsafe extern "C" {
    /// The program. The platform provides it.
    safe fn mirage_virtio_start(boot: *const Boot) -> !;
}

/// Reads what the loader left at `information` and starts the program.
pub(super) extern "C" fn start(information: u32, protocol: Protocol) -> ! {
    // SAFETY: the first instructions map the first 4 GiB, the loader's structures lie outside of the image, and nothing else
    // is in use yet.
    let physical = unsafe { Physical::new() };
    let (line, heap) = match protocol {
        Protocol::Pvh => {
            let found = pvh::read(&physical, information.into());
            let heap = largest_free(pvh::usable(&physical, &found), memory::image_end());
            (CommandLine::read(&physical, found.command_line, Begins::AtOnce), heap)
        }
        Protocol::Multiboot => {
            let found = multiboot::read(&physical, information.into());
            let heap = largest_free(multiboot::usable(&physical, &found), memory::image_end());
            (CommandLine::read(&physical, found.command_line, found.begins), heap)
        }
    };
    interrupts::load();
    cpu::extended::enable();
    memory::protect();
    let command_line = COMMAND_LINE.get_or_init(|| line).arguments();
    mirage_virtio_start(&Boot { command_line, heap })
}

// SAFETY: only the one processor uses it.
pub(in super::super) static COMMAND_LINE: Single<OnceCell<CommandLine>> = unsafe { Single::new(OnceCell::new()) };
