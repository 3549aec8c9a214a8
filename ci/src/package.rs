//! Whether strangers can build what we publish.

use crate::command::{self, cargo};
use crate::workspace;

/// Packages every publishable crate and builds each from its package alone.
pub(crate) fn run() -> Result<(), String> {
    let metadata = workspace::metadata()?;
    let mut command = cargo(["package", "--quiet", "--allow-dirty"]);
    let mut count = 0;
    for package in metadata.workspace_packages().into_iter().filter(|package| workspace::is_published(package)) {
        command.args(["--package", package.name.as_str()]);
        count += 1;
    }
    command::run(&mut command)?;
    println!("package: {count} crates can be published");
    Ok(())
}
