//! Where things lie.

use std::path::{Path, PathBuf};

/// The top of the workspace.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from)
}

/// A program that was built, optimized.
pub(crate) fn program(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// An image as `mirage build` left it.
pub(crate) fn image(file: &str) -> PathBuf {
    top().join("dist").join(file)
}
