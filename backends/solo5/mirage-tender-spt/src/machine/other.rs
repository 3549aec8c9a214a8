//! Processors on which no guest runs yet: images can be looked at.

use object::elf::{EM_X86_64, Machine};

pub(crate) const ELF_MACHINE: Machine = EM_X86_64;
pub(crate) const SUPPORTED: bool = false;

pub(crate) fn calls() -> impl Iterator<Item = (i64, i32)> {
    core::iter::empty()
}

/// Never reached: a launch is refused before.
///
/// # Safety
/// None is needed.
pub(crate) unsafe fn enter(_entry: usize, _boot: usize, _stack: usize) -> ! {
    std::process::abort()
}
