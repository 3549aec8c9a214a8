//! Everything that can be known without running the code.

use crate::command::{self, cargo};
use crate::{floors, fuzz, links, no_std, workspace};

/// Formatting, floors, links, clippy for processes, for images and for fuzz targets, documentation, `no_std`.
pub(crate) fn run() -> Result<(), String> {
    command::run(&mut cargo(["fmt", "--all", "--check"]))?;
    let breaches = floors::breaches()?;
    if !breaches.is_empty() {
        return Err(format!("the floor rule is broken:\n  {}", breaches.join("\n  ")));
    }
    let broken = links::broken()?;
    if !broken.is_empty() {
        return Err(format!("pages lead nowhere:\n  {}", broken.join("\n  ")));
    }
    command::run(&mut cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))?;
    let unikernels = workspace::unikernels()?;
    for target in workspace::IMAGE_TARGETS {
        let packages = unikernels.iter().flat_map(|package| ["--package", package]);
        let features: Vec<String> = unikernels.iter().map(|package| format!("{package}/{target}")).collect();
        command::run(
            cargo(["clippy", "--profile", "image", "--no-default-features", "--features", &features.join(",")])
                .args(packages)
                .args(["--", "-D", "warnings"]),
        )?;
    }
    fuzz::check()?;
    command::run(cargo(["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    let count = no_std::check()?;
    println!("check: {count} crates are free of std, every floor keeps to its own, no warnings");
    Ok(())
}
