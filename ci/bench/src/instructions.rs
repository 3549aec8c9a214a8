//! Counting instructions with callgrind: the same figure on a busy machine as on an idle one.

use std::process::Command;

/// Instructions a scenario takes for each turn: the difference of two runs, so that what comes before does not count.
///
/// callgrind counts every byte of a `rep movsb` or `rep stosb` as an instruction, so the C library is told not to use them; both
/// sides are counted in the same way.
pub(crate) fn per_turn(peer: &str, scenario: &str, turns: u64) -> Result<f64, String> {
    let few = count(peer, scenario, turns)?;
    let many = count(peer, scenario, 3 * turns)?;
    Ok((many.saturating_sub(few)) as f64 / (2 * turns) as f64)
}

fn count(peer: &str, scenario: &str, turns: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["scenario", peer, scenario, &turns.to_string()])
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824",
        )
        .output()
        .map_err(|error| format!("valgrind did not start ({error}); type: apt-get install -y valgrind"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind failed: {}", said.trim()));
    }
    said.lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok())
        .ok_or_else(|| "valgrind printed no count".to_owned())
}
