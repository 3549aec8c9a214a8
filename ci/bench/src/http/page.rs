//! Whether two servers serve the same page.

use crate::lab::{Lab, Side};

/// An error unless the bodies are the same bytes.
pub(super) fn same(lab: &Lab, one: &str, other: &str) -> Result<(), String> {
    if body(lab, one)? == body(lab, other)? { Ok(()) } else { Err(format!("{one} and {other} serve different pages")) }
}

fn body(lab: &Lab, url: &str) -> Result<Vec<u8>, String> {
    let mut command = lab.command(Side::Client, "curl");
    let output = command.args(["-sS", "--fail", "--max-time", "10", url]).output();
    let output = output.map_err(|error| format!("curl did not start: {error}"))?;
    if output.status.success() && !output.stdout.is_empty() {
        return Ok(output.stdout);
    }
    Err(format!("no page at {url}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
