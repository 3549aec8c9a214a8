//! Writing the table as Rust.

use alloc::string::{String, ToString};
use core::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::walk::Found;
use super::{Action, BuildError, Times};
use crate::Modified;

/// An expression of type `Files`.
pub(super) fn write(found: &[Found], manifest: Option<&Path>, times: Times) -> Result<String, BuildError> {
    let mut source = String::from("// Written by mirage_kv_embedded::build. Do not edit.\n");
    source.push_str("::mirage_kv_embedded::Files::new(&[\n");
    for file in found {
        let unreadable = |error| BuildError::new(Action::Read, &file.disk, error);
        let bytes = fs::read(&file.disk).map_err(unreadable)?;
        let modified = match times {
            Times::None => None,
            Times::Fixed(modified) => Some(modified),
            Times::Disk => {
                Some(since_1970(fs::metadata(&file.disk).and_then(|data| data.modified()).map_err(unreadable)?))
            }
        };
        let modified = modified.map_or("None".to_string(), |Modified { seconds, nanos }| {
            alloc::format!("Some(::mirage_kv_embedded::Modified {{ seconds: {seconds}, nanos: {nanos} }})")
        });
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let included = included(&file.disk, manifest)?;
        // Writing to a string cannot fail.
        let _ = writeln!(
            source,
            "    ::mirage_kv_embedded::File {{\n        path: {:?},\n        bytes: include_bytes!({included}),\n        \
             modified: {modified},\n        digest: ::mirage_kv_embedded::Digest({digest:?}),\n    }},",
            file.key,
        );
    }
    source.push_str("])\n");
    Ok(source)
}

/// What goes between the parentheses of `include_bytes!`.
fn included(disk: &Path, manifest: Option<&Path>) -> Result<String, BuildError> {
    let text =
        |path: &Path| path.to_str().map(ToString::to_string).ok_or_else(|| BuildError::new(Action::Name, disk, None));
    Ok(match manifest.and_then(|manifest| disk.strip_prefix(manifest).ok()) {
        Some(relative) => {
            alloc::format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})", text(&Path::new("/").join(relative))?)
        }
        None => alloc::format!("{:?}", text(disk)?),
    })
}

fn since_1970(time: SystemTime) -> Modified {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Modified { seconds: after.as_secs() as i64, nanos: after.subsec_nanos() },
        Err(before) => {
            let before = before.duration();
            let borrow = i64::from(before.subsec_nanos() > 0);
            let nanos = (1_000_000_000 - before.subsec_nanos()) % 1_000_000_000;
            Modified { seconds: -(before.as_secs() as i64) - borrow, nanos }
        }
    }
}
