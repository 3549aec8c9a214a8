//! Benchmarks: each prints a table and writes `target/bench/NAME.json`.

use crate::command::{self, cargo};

/// Runs one, or lists them.
pub(crate) fn run(name: Option<&str>) -> Result<(), String> {
    command::run(cargo(["run", "--release", "--quiet", "--package", "bench", "--"]).args(name))
}
