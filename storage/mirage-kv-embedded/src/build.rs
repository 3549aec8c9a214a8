//! Writing the table from a directory, for build scripts. Needs `std`, on the machine that builds.

mod error;
mod source;
mod walk;

use std::path::Path;
use std::{env, fs, println};

use crate::Modified;

pub use error::{Action, BuildError};

/// Where the times in the table come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// There are none: the same files give the same image, whenever they were checked out.
    #[default]
    None,
    /// One time for all files, for example that of the commit.
    Fixed(Modified),
    /// The time each file has on the disk. The image then depends on the checkout.
    Disk,
}

/// Embeds every file below `directory`: writes to `out_file` a Rust expression of type [`Files`](crate::Files).
///
/// Hidden files are embedded too; links are followed. The source names the files and does not contain them; files
/// below `CARGO_MANIFEST_DIR` are named relative to it, so that the source is the same on every machine. Prints the
/// `cargo::rerun-if-changed` lines that a build script owes. `out_file` is only written when it changes.
///
/// ```no_run
/// // build.rs
/// let out = std::path::Path::new(&std::env::var_os("OUT_DIR").unwrap()).join("site.rs");
/// mirage_kv_embedded::build::embed("site", out).unwrap();
/// ```
///
/// ```text
/// // main.rs
/// static SITE: mirage_kv_embedded::Files = include!(concat!(env!("OUT_DIR"), "/site.rs"));
/// ```
///
/// # Errors
/// When a file cannot be read, a name is no part of a key, or `out_file` cannot be written.
pub fn embed(directory: impl AsRef<Path>, out_file: impl AsRef<Path>) -> Result<(), BuildError> {
    embed_with(directory, out_file, Times::None)
}

/// Like [`embed`], with times.
///
/// # Errors
/// Those of [`embed`].
pub fn embed_with(directory: impl AsRef<Path>, out_file: impl AsRef<Path>, times: Times) -> Result<(), BuildError> {
    let (directory, out_file) = (directory.as_ref(), out_file.as_ref());
    let directory = fs::canonicalize(directory).map_err(|error| BuildError::new(Action::Read, directory, error))?;
    let mut found = walk::walk(&directory)?;
    found.sort_by(|left, right| crate::order::compare(left.key.as_bytes(), right.key.as_bytes()));
    let manifest = env::var_os("CARGO_MANIFEST_DIR").and_then(|manifest| fs::canonicalize(manifest).ok());
    let source = source::write(&found, manifest.as_deref(), times)?;
    // A directory's own line notices files that come; each file's notices its bytes.
    println!("cargo::rerun-if-changed={}", directory.display());
    for file in &found {
        println!("cargo::rerun-if-changed={}", file.disk.display());
    }
    if fs::read(out_file).is_ok_and(|old| old == source.as_bytes()) {
        return Ok(());
    }
    fs::write(out_file, source).map_err(|error| BuildError::new(Action::Write, out_file, error))
}
