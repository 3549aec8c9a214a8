//! Which compiler it is.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, OrFail, Result};

/// The compiler that cargo uses.
pub(crate) struct Toolchain {
    /// Like `1.95.0`.
    pub(crate) release: String,
    /// The commit it was built from.
    pub(crate) commit: String,
    /// The first number of its LLVM's version; empty where it has none.
    pub(crate) llvm: String,
    /// Its folder.
    pub(crate) sysroot: PathBuf,
}

impl Toolchain {
    /// Asks `rustc`.
    pub(crate) fn find() -> Result<Self> {
        let version = rustc(&["-vV"])?;
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let (Some(release), Some(commit)) = (field("release:"), field("commit-hash:")) else {
            return Err(Failure::new(format!("rustc does not say which it is, only: {version}")));
        };
        let llvm = field("LLVM version:").and_then(|version| version.split('.').next()).unwrap_or_default().to_owned();
        let sysroot = rustc(&["--print", "sysroot"])?.trim().into();
        Ok(Self { release: release.to_owned(), commit: commit.to_owned(), llvm, sysroot })
    }
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(arguments).output();
    let output = output.or_fail(|| "rustc does not run; install Rust from https://rustup.rs".into())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
