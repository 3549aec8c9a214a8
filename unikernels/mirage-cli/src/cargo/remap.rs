//! Names for folders that are the same on every machine.
//!
//! Paths of sources end up in an image, in the messages of its panics, and in its debugging information. Where they lie on
//! this machine is nobody's business, costs bytes and makes the same sources give different images.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Toolchain;
use crate::project::Project;

/// Folders, and what stands for them in paths: mostly nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remap {
    /// Shorter ones first: of two that fit, the compiler takes the later.
    folders: Vec<(PathBuf, String)>,
}

impl Remap {
    /// The workspace, what holds the sources of every crate outside of it, and the compiler's own library.
    pub(crate) fn new(project: &Project, toolchain: &Toolchain) -> Self {
        let packages = project.packages().iter().filter_map(|package| package.manifest_path.parent());
        Self::of(project.root(), packages.map(AsRef::as_ref), toolchain)
    }

    fn of<'a>(root: &Path, packages: impl Iterator<Item = &'a Path>, toolchain: &Toolchain) -> Self {
        let outside = packages.filter(|folder| !folder.starts_with(root));
        // `…/talc-5.1.0/src/lib.rs` becomes `talc-5.1.0/src/lib.rs`.
        let mut folders: BTreeSet<PathBuf> = outside.filter_map(Path::parent).map(Path::to_owned).collect();
        folders.insert(root.to_owned());
        let mut folders: Vec<_> = folders.into_iter().map(|folder| (folder, String::new())).collect();
        folders.sort_by_key(|(folder, _)| folder.as_os_str().len());
        // The library's own code was compiled with this name already; where its source is installed, the compiler would
        // put that place instead into what it makes of it here.
        folders.push((toolchain.sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{}", toolchain.commit)));
        Self { folders }
    }

    /// As flags for rustc.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.folders.iter().map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_around_crates_are_left_out_longest_last() {
        let packages =
            ["/home/u/app", "/home/u/app/part", "/home/u/other", "/r/index-1/talc-5.1.0", "/r/index-1/log-0.4.0"];
        let toolchain =
            Toolchain { release: "1.95.0".into(), commit: "012".into(), llvm: "22".into(), sysroot: "/rust".into() };
        let remap = Remap::of(Path::new("/home/u/app"), packages.iter().map(Path::new), &toolchain);
        assert_eq!(
            remap.flags(),
            [
                "--remap-path-prefix=/home/u=",
                "--remap-path-prefix=/r/index-1=",
                "--remap-path-prefix=/home/u/app=",
                "--remap-path-prefix=/rust/lib/rustlib/src/rust=/rustc/012",
            ]
        );
    }
}
