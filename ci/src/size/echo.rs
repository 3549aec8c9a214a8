//! What our TCP weighs in a program with nothing else in it.

use std::fs;

use super::parts::Parts;
use crate::command::{self, cargo};
use crate::workspace;

/// The programs of `ci/tcp-echo`: a server on the small stack, one with as little of the large one's TCP as there can be, and one with
/// all of it.
const SERVERS: [&str; 3] = ["tcp-echo-tiny", "tcp-echo-small", "tcp-echo-standard"];

/// Builds the servers and gives the bytes of code in each.
pub(super) fn weigh() -> Result<[(&'static str, u64); 3], String> {
    let folder = workspace::target().join("tcp-echo");
    let manifest = workspace::root().join("ci/tcp-echo/Cargo.toml");
    let build = ["build", "--release", "--manifest-path"];
    command::run(cargo(build).arg(manifest).arg("--target-dir").arg(&folder))?;
    let mut texts = SERVERS.map(|name| (name, 0));
    for (name, text) in &mut texts {
        let file = folder.join("release").join(*name);
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        *text = Parts::of(&bytes).map_err(|error| format!("{}: {error}", file.display()))?.text;
    }
    Ok(texts)
}
