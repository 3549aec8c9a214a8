//! What images and a bare TCP echo server weigh, and the least memory that images run in.

mod echo;
mod memory;
mod parts;
mod platform;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::command::{self, cargo};
use crate::{tools, workspace};

use parts::Parts;
use platform::Platform;

/// An image, and what was found out about it.
struct Measured {
    /// `web.spt`, say.
    name: String,
    parts: Parts,
    /// In MiB; nothing where it could not be tried.
    memory: Option<u32>,
}

/// Builds every image for every target that boots, prints a table and writes `target/bench/size.json`.
pub(crate) fn run() -> Result<(), String> {
    let tried = tools::is_root();
    if tried {
        tools::ensure(tools::SIZE)?;
        command::run(&mut cargo(["build", "--release", "--package", "mirage-tender-spt"]))?;
    } else {
        eprintln!("without root there are no taps: the memory that images need is not looked for");
    }
    let mut all = Vec::new();
    for package in packages()? {
        for platform in Platform::ALL {
            let name = format!("{package}.{}", platform.name());
            command::run(&mut cargo(["mirage", "build", "--package", &package, "--target", platform.name()]))?;
            let image = image(&name);
            // The image itself may be packed; what is in it tells the file with symbols.
            let read = |image: &Path| fs::read(image).map_err(|error| format!("{}: {error}", image.display()));
            let symbols = read(&image.with_added_extension("debug"))?;
            let parts = Parts::of(&symbols).map_err(|error| format!("{}: {error}", image.display()))?;
            let parts = Parts { file: read(&image)?.len() as u64, ..parts };
            let memory = if tried { memory::least(&package, platform, &image)? } else { None };
            all.push(Measured { name, parts, memory });
        }
    }
    println!("{:14} {:>9} {:>9} {:>9} {:>9} {:>8}", "", "file", "text", "read-only", "data+bss", "memory");
    for Measured { name, parts, memory } in &all {
        let Parts { file, text, read_only, data } = parts;
        let memory = memory.map_or("-".to_owned(), |memory| format!("{memory} MiB"));
        println!("{name:14} {file:>9} {text:>9} {read_only:>9} {data:>9} {memory:>8}");
    }
    let servers = echo::weigh()?;
    println!("\na TCP echo server, without a system and the rest of an image:");
    for (row, text) in &servers {
        println!("{row:18} {text:>9} bytes of text");
    }
    publish(&all, &servers)
}

/// The applications that boot: packages with the feature of such a target.
fn packages() -> Result<Vec<String>, String> {
    let metadata = workspace::metadata()?;
    let boots = |package: &&cargo_metadata::Package| {
        Platform::ALL.iter().all(|platform| package.features.contains_key(platform.feature()))
            && package.targets.iter().any(|target| target.is_bin() && target.name == package.name.as_str())
    };
    let mut names: Vec<_> =
        metadata.workspace_packages().into_iter().filter(boots).map(|package| package.name.to_string()).collect();
    names.sort();
    Ok(names)
}

fn image(name: &str) -> PathBuf {
    workspace::root().join("dist").join(name)
}

fn publish(all: &[Measured], servers: &[(&str, u64)]) -> Result<(), String> {
    let servers = servers.iter().map(|(row, text)| json!({ "row": row, "ours": text, "unit": "bytes" }));
    let values: Vec<_> = all
        .iter()
        .map(|Measured { name, parts: Parts { file, text, read_only, data }, memory }| {
            json!({
                "row": name, "ours": file, "unit": "bytes",
                "text": text, "read_only": read_only, "data_and_bss": data, "memory_mib": memory,
            })
        })
        .chain(servers)
        .collect();
    let file = workspace::target().join("bench/size.json");
    let text = serde_json::to_string_pretty(&values).map_err(|error| error.to_string())?;
    fs::create_dir_all(workspace::target().join("bench"))
        .and_then(|()| fs::write(&file, text + "\n"))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    println!("written to target/bench/size.json");
    Ok(())
}
