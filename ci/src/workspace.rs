//! What the workspace consists of, from `cargo metadata`.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The top folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci/ lies in the workspace's top folder")
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Asks cargo; only the workspace itself, nothing outside.
pub(crate) fn metadata() -> Result<Metadata, String> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))
}

/// The crate's folder, counted from the top.
pub(crate) fn folder(package: &Package) -> &Path {
    let folder = package.manifest_path.parent().map_or(Path::new(""), |folder| folder.as_std_path());
    folder.strip_prefix(root()).unwrap_or(folder)
}

/// Whether strangers may get it from the registry.
pub(crate) fn is_published(package: &Package) -> bool {
    package.publish.as_ref().is_none_or(|registries| !registries.is_empty())
}

/// The targets that boot, as cargo features.
pub(crate) const IMAGE_TARGETS: [&str; 3] = ["solo5-spt", "solo5-hvt", "virtio"];

/// The packages that can be an image of each target.
pub(crate) fn unikernels() -> Result<Vec<String>, String> {
    let metadata = metadata()?;
    let all = metadata.workspace_packages().into_iter().filter(|package| !is_published(package));
    let unikernels = all.filter(|package| IMAGE_TARGETS.iter().all(|target| package.features.contains_key(*target)));
    Ok(unikernels.map(|package| package.name.to_string()).collect())
}
