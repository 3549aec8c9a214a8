//! The command `mirage`.

#![forbid(unsafe_code)]
#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a program for people's machines: std is all it knows"
)]

mod spt;

fn main() -> std::process::ExitCode {
    if let Some(code) = spt::gateway() {
        return code;
    }
    std::process::ExitCode::SUCCESS
}
