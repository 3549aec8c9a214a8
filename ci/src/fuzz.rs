//! Fuzz targets, in `ci/fuzz`, a workspace of its own because it needs a nightly compiler.

use std::process::Command;

use crate::command;
use crate::workspace;

/// Runs one target, all of them, or lists them.
pub(crate) fn run(name: Option<&str>, seconds: u32) -> Result<(), String> {
    let targets = command::output(&mut fuzz("list"))?;
    let targets: Vec<&str> = targets.split_whitespace().collect();
    match name {
        None => println!("{}", targets.join("\n")),
        Some("all") => targets.into_iter().try_for_each(|target| one(target, seconds))?,
        Some(name) if targets.contains(&name) => one(name, seconds)?,
        Some(name) => return Err(format!("no fuzz target `{name}`; there are: {}", targets.join(", "))),
    }
    Ok(())
}

/// Whether the targets compile; for that the stable compiler will do, and no library is linked.
pub(crate) fn check() -> Result<(), String> {
    let folder = workspace::root().join("ci/fuzz");
    command::run(
        command::cargo(["clippy", "--manifest-path"])
            .arg(folder.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(workspace::root().join("target/fuzz"))
            .args(["--", "-D", "warnings"])
            .env("CUSTOM_LIBFUZZER_PATH", folder),
    )
}

fn one(target: &str, seconds: u32) -> Result<(), String> {
    command::run(fuzz("run").arg(target).arg("--").args([
        format!("-max_total_time={seconds}"),
        "-print_final_stats=1".to_owned(),
        "-max_len=4096".to_owned(),
    ]))
}

/// `cargo +nightly fuzz …` through rustup, which finds the other toolchain.
fn fuzz(verb: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "fuzz", verb, "--fuzz-dir"])
        .arg(workspace::root().join("ci/fuzz"))
        .current_dir(workspace::root())
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}
