//! Lets programs with this tender begin without `libgcc_s.so`.
//!
//! Rust's programs for glibc load that library for unwinding. Finding, mapping and relocating it is an eighth of the time
//! from the tender's start to an image's first line. The same code is there as an archive: a linker script of the library's
//! name, which the linker finds first, names that instead.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    if is_native_glibc() && has_archive() {
        fs::write(Path::new(&out).join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n")?;
        println!("cargo::rustc-link-search=native={}", Path::new(&out).display());
    }
    Ok(())
}

/// Whether this machine's own compiler links for the target, with glibc.
fn is_native_glibc() -> bool {
    let told = |name| env::var(name).unwrap_or_default();
    told("TARGET") == told("HOST") && told("CARGO_CFG_TARGET_OS") == "linux" && told("CARGO_CFG_TARGET_ENV") == "gnu"
}

/// Whether the compiler that links has the archive; where it has not, it prints the bare name.
fn has_archive() -> bool {
    let asked = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    asked.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_absolute())
}
