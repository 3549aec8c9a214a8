//! What differs between processors.

#[cfg(not(target_arch = "x86_64"))]
mod other;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use other::{ELF_MACHINE, SUPPORTED, calls, enter};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{ELF_MACHINE, SUPPORTED, calls, enter};
