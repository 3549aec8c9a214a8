//! `mirage-spt`: runs an image with the command line of Solo5's `solo5-spt`.

#![allow(clippy::std_instead_of_alloc, reason = "a program for hosts with std")]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    tender::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("mirage-spt: guests run on Linux only");
    std::process::ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
#[path = "mirage-spt/tender.rs"]
mod tender;
