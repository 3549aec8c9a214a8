//! Guests with a network device that is a socket: this test's process runs itself again and becomes the guest.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test on a host with std")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "common/assembly.rs"]
mod assembly;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod common;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "net/guests.rs"]
mod guests;

fn main() {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    guests::main();
}
