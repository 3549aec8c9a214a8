//! From 64 bits to the program.

use core::cell::{Cell, UnsafeCell};

use super::command_line::{Begins, CommandLine};
use super::memory_map::largest_free;
use super::physical::Physical;
use super::{Boot, multiboot, pvh};
use crate::machine::cpu::instruction;
use crate::machine::devices::Slot;
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
    // SAFETY: nobody else has a reference yet.
    let line = unsafe { &mut *COMMAND_LINE.get() };
    let heap = match protocol {
        Protocol::Pvh => {
            let found = pvh::read(&physical, information.into());
            line.read(&physical, found.command_line, Begins::AtOnce);
            largest_free(pvh::usable(&physical, &found), memory::image_end())
        }
        Protocol::Multiboot => {
            let found = multiboot::read(&physical, information.into());
            line.read(&physical, found.command_line, found.begins);
            largest_free(multiboot::usable(&physical, &found), memory::image_end())
        }
    };
    interrupts::load();
    cpu::extended::enable();
    memory::protect();
    STARTED.set(instruction::time_stamp());
    mirage_virtio_start(&Boot { command_line: command_line().arguments(), heap })
}

/// Where devices are, by the command line.
pub(crate) fn slots() -> impl Iterator<Item = Slot> {
    command_line().slots()
}

fn command_line() -> &'static CommandLine {
    // SAFETY: nobody changes it after the start.
    unsafe { &*COMMAND_LINE.get() }
}

/// The time stamp counter when the image started.
pub(crate) fn started() -> u64 {
    STARTED.get()
}

// SAFETY: only the one processor uses it.
static STARTED: Single<Cell<u64>> = unsafe { Single::new(Cell::new(0)) };
// SAFETY: only the one processor uses it.
static COMMAND_LINE: Single<UnsafeCell<CommandLine>> = unsafe { Single::new(UnsafeCell::new(CommandLine::EMPTY)) };
