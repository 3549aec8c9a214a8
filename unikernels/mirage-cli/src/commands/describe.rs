//! `mirage describe`: what is in an image.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::build::{debug, shown};
use crate::arguments;
use crate::failure::{Failure, OrFail, Result};
use crate::image::{Facts, Inventory, Kind, Sizes, by_crate};
use crate::output::answer;
use crate::project::Project;
use crate::settings;
use crate::table::Table;
use crate::target::Target;

/// Tells it.
pub(crate) fn run(arguments: &arguments::Describe) -> Result<()> {
    let path = find(arguments.image.as_deref(), arguments.target)?;
    let file = fs::read(&path).or_fail(|| path.display().to_string())?;
    let facts = Facts::of(&file).or_fail(|| path.display().to_string())?;
    let (inventory, symbols) = crates_of(&path, &file, &facts);
    // As it lies in memory: the image itself may be packed.
    let unpacked =
        symbols.as_ref().map(|symbols| fs::read(symbols).or_fail(|| symbols.display().to_string())).transpose()?;
    let unpacked = unpacked.as_ref().unwrap_or(&file);
    let sizes = Sizes::of(unpacked).or_fail(|| path.display().to_string())?;

    head(&path, &file, &facts, inventory.as_ref());
    devices(&facts);
    let Sizes { code, constants, data, zeros } = sizes;
    answer(format_args!(
        "memory: {code} bytes of code, {constants} of constants, {data} of data, {zeros} that begin as zero"
    ));
    let Some(inventory) = inventory else {
        answer("crates: it does not say; `mirage build` makes images that do");
        return Ok(());
    };
    let bytes = symbols.map(|symbols| by_crate(&symbols, unpacked, &inventory.crates)).transpose();
    let bytes = bytes.or_fail(|| path.display().to_string())?;
    answer("");
    crates(&inventory, bytes.as_ref()).lines().iter().for_each(answer);
    match &bytes {
        Some(bytes) => without_code(&inventory, bytes),
        None => answer(format_args!("\nFor the size of each, {} must lie beside it.", shown(&debug(&path)).display())),
    }
    Ok(())
}

/// What the image at `path` is made of, and the file with its symbols, if that is there and of the same build.
fn crates_of(path: &Path, file: &[u8], facts: &Facts) -> (Option<Inventory>, Option<PathBuf>) {
    let inventory = Inventory::of(file);
    let has_symbols = facts.target.is_none() || path.extension().is_some_and(|kind| kind == "debug");
    if has_symbols {
        return (inventory, Some(path.to_owned()));
    }
    // The file with symbols knows more.
    let beside = debug(path);
    let long = fs::read(&beside).ok().and_then(|file| Inventory::of(&file));
    let is_same = |long: &Inventory| inventory.as_ref().is_some_and(|short| short.agrees_with(long));
    match long.filter(is_same) {
        Some(long) => (Some(long), Some(beside)),
        None => (inventory, None),
    }
}

/// The image that `what` means: a file, or an application's in `dist/`.
pub(crate) fn find(what: Option<&str>, target: Option<Target>) -> Result<PathBuf> {
    if let Some(path) = what.map(Path::new).filter(|path| path.is_file()) {
        return Ok(path.to_owned());
    }
    if let Some(path) = what.filter(|what| what.contains(['/', '.'])) {
        return Err(Failure::new(format!("{path}: there is no such file; `mirage build` writes images to dist/")));
    }
    let project = Project::find(false)?;
    let application = project.application(what)?;
    let remembered = settings::read(&settings::file(&project, &application))?;
    let target = target.or(remembered.target).unwrap_or(Target::Unix);
    let path = project.dist().join(target.file(application.name()));
    match path.is_file() {
        true => Ok(path),
        false => Err(Failure::new(format!(
            "{} is not built yet: `mirage build -p {} -t {target}`",
            shown(&path).display(),
            application.name()
        ))),
    }
}

fn head(path: &Path, file: &[u8], facts: &Facts, inventory: Option<&Inventory>) {
    let (name, version) = match (inventory, facts) {
        (Some(inventory), _) => (inventory.name.as_str(), inventory.version.as_str()),
        (None, Facts { name: Some(name), version: Some(version), .. }) => (name.as_str(), version.as_str()),
        _ => ("an application that does not say its", "name"),
    };
    let target = facts.target.or(inventory.map(|inventory| inventory.target));
    let target = target.map_or(String::new(), |target| format!(" for {target}"));
    let rustc = inventory.map_or(String::new(), |inventory| format!(", by rustc {}", inventory.rustc));
    answer(format_args!("{}: {name} {version}{target}, {} bytes{rustc}", path.display(), file.len()));
}

fn devices(facts: &Facts) {
    for device in &facts.devices {
        let kind = match device.kind {
            Kind::Net => "network",
            Kind::Block => "disk",
        };
        answer(format_args!("{kind}: {}", device.name));
    }
    for forward in &facts.forwards {
        answer(format_args!("forward: {forward}"));
    }
}

/// One row for each crate, the largest first and those of the compiler's library among them; without sizes for all, with
/// sizes for those that have code.
fn crates(inventory: &Inventory, bytes: Option<&BTreeMap<String, u64>>) -> Table {
    let Some(bytes) = bytes else {
        let mut table = Table::new(&["crate", "version", "features"]);
        for one in &inventory.crates {
            table.row(vec![one.name.clone(), one.version.clone(), one.features.join(",")]);
        }
        return table;
    };
    let mut table = Table::new(&["code", "crate", "version", "features"]);
    let mut bytes: Vec<_> = bytes.iter().filter(|(_, bytes)| **bytes > 0).collect();
    bytes.sort_by_key(|(name, bytes)| (std::cmp::Reverse(**bytes), *name));
    for (name, bytes) in bytes {
        let listed = inventory.crates.iter().find(|one| one.name == *name);
        let (name, version, features) = match (listed, name.split_once(' ')) {
            (Some(one), _) => (name.as_str(), one.version.as_str(), one.features.join(",")),
            (None, Some((name, version))) => (name, version, String::new()),
            (None, None) if name.is_empty() => ("(of no known source)", "", String::new()),
            (None, None) => (name.as_str(), inventory.rustc.as_str(), String::new()),
        };
        table.row(vec![bytes.to_string(), name.to_owned(), version.to_owned(), features]);
    }
    table
}

/// Names the crates that the compiler left nothing of but constants, if that.
fn without_code(inventory: &Inventory, bytes: &BTreeMap<String, u64>) {
    let has_code = |name: &str| bytes.get(name).is_some_and(|bytes| *bytes > 0);
    let without = inventory.crates.iter().filter(|one| !has_code(&one.name));
    let without: Vec<_> = without.map(|one| format!("{} {}", one.name, one.version)).collect();
    if !without.is_empty() {
        answer(format_args!("\nWithout code of their own: {}.", without.join(", ")));
    }
}
