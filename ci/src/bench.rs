//! Benchmarks: each prints a table and writes `target/bench/NAME.json`.

use crate::command::{self, cargo};
use crate::tools;

/// Runs one, or lists them.
pub(crate) fn run(name: Option<&str>) -> Result<(), String> {
    if name == Some("http") {
        if !tools::is_root() {
            return Err("it needs root for network namespaces; type: sudo -E cargo ci bench http".to_owned());
        }
        tools::ensure()?;
        command::run(&mut cargo(["build", "--release", "--package", "web"]))?;
    }
    command::run(cargo(["run", "--release", "--quiet", "--package", "bench", "--"]).args(name))
}
