//! A table for people and a file for programs.

use std::fs;

use serde_json::json;

use crate::folders;

/// One figure, ours beside the peer's.
pub(crate) struct Row {
    pub(crate) row: String,
    pub(crate) ours: f64,
    pub(crate) peer: f64,
    pub(crate) unit: &'static str,
}

/// Prints the rows and writes them to `target/bench/NAME.json`.
pub(crate) fn publish(name: &str, peer_name: &str, rows: &[Row]) -> Result<(), String> {
    println!("{:24} {:>14} {:>14} {:>8}  unit", name, "ours", peer_name, "ratio");
    for Row { row, ours, peer, unit } in rows {
        println!("{row:24} {ours:>14.3} {peer:>14.3} {:>8.3}  {unit}", ours / peer);
    }
    let values: Vec<_> = rows
        .iter()
        .map(|Row { row, ours, peer, unit }| {
            json!({"row": row, "ours": ours, "peer": peer, "peer_name": peer_name, "ratio": ours / peer, "unit": unit})
        })
        .collect();
    let target = folders::target();
    let file = target.join("bench").join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(&values).map_err(|error| error.to_string())?;
    fs::create_dir_all(target.join("bench"))
        .and_then(|()| fs::write(&file, text + "\n"))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    println!("written to target/bench/{name}.json");
    Ok(())
}
