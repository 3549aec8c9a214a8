//! Benchmarks: each prints a table and writes `target/bench/NAME.json`.

use crate::command::{self, cargo};
use crate::tools;

/// Runs one, or lists them.
pub(crate) fn run(name: Option<&str>) -> Result<(), String> {
    match name {
        Some("http") => {
            prepare("http")?;
            command::run(&mut cargo(["build", "--release", "--package", "web"]))?;
            image("web", "spt")?;
        }
        Some("tap") => {
            prepare("tap")?;
            command::run(&mut cargo(["build", "--release", "--package", "echo"]))?;
        }
        Some("boot") => {
            prepare("boot")?;
            image("hello", "spt")?;
            image("web", "spt")?;
            image("hello", "virtio")?;
        }
        _ => {}
    }
    command::run(cargo(["run", "--release", "--quiet", "--package", "bench", "--"]).args(name))
}

/// What a benchmark in network namespaces needs.
fn prepare(name: &str) -> Result<(), String> {
    if !tools::is_root() {
        return Err(format!("it needs root for network namespaces; type: sudo -E cargo ci bench {name}"));
    }
    tools::ensure(tools::BENCH)?;
    command::run(&mut cargo(["build", "--release", "--package", "mirage-tender-spt"]))
}

/// An image in `dist/`.
fn image(package: &str, target: &str) -> Result<(), String> {
    command::run(&mut cargo(["mirage", "build", "--package", package, "--target", target]))
}
