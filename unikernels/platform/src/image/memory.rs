//! `memcpy` and its kin, which the compiler calls without being asked.
//!
//! No string instructions: on some processors `rep movsb` falls to a twentieth of its speed when the destination lies a
//! few bytes before the source in its page, as the parts of frames do.

#[cfg(all(target_arch = "x86_64", not(any(feature = "unix", test))))]
mod symbols;
#[cfg(target_arch = "x86_64")]
mod x86_64;
