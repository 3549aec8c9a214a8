//! Without the feature `panic-text`. As nobody asks for the message and the place, neither they nor what formats them are in
//! the image.

use core::panic::PanicInfo;

use crate::target::Machine;

/// Says that it panicked; the addresses that follow say where.
pub(in super::super) fn show(_: &PanicInfo<'_>) {
    Machine::complain("panicked:");
}
