//! Finding the files.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Action, BuildError};

/// How deep a directory may lie: deeper ones are links that lead back.
const DEPTH: usize = 64;

/// One file found.
pub(super) struct Found {
    /// Its path in the store.
    pub(super) key: String,
    /// Where it is on the disk.
    pub(super) disk: PathBuf,
}

/// Every file below `directory`, in no order.
pub(super) fn walk(directory: &Path) -> Result<Vec<Found>, BuildError> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), directory.to_path_buf(), 0)];
    while let Some((key, disk, depth)) = waiting.pop() {
        if depth > DEPTH {
            return Err(BuildError::new(Action::Descend, &disk, None));
        }
        let unreadable = |error| BuildError::new(Action::Read, &disk, error);
        for entry in fs::read_dir(&disk).map_err(unreadable)? {
            let disk = entry.map_err(unreadable)?.path();
            let name = disk.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| BuildError::new(Action::Name, &disk, None))?;
            let key = if key.is_empty() { name.to_string() } else { [&key, name].join("/") };
            // `metadata` follows links.
            let kind = fs::metadata(&disk).map_err(|error| BuildError::new(Action::Read, &disk, error))?;
            if kind.is_dir() {
                waiting.push((key, disk, depth + 1));
            } else {
                found.push(Found { key, disk });
            }
        }
    }
    Ok(found)
}
