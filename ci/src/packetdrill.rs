//! packetdrill's scripts against our TCP: which pass, which do not, and which were not asked.

mod exclusions;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use self::exclusions::Exclusions;
use self::script::{Runner, Verdict};
use crate::command::{cargo, run as command};
use crate::{tools, workspace};

/// What was asked for.
pub(crate) struct Request {
    pub(crate) bin: Option<PathBuf>,
    pub(crate) scripts: Option<PathBuf>,
    pub(crate) verbose: bool,
    pub(crate) all: bool,
}

/// How the scripts of a folder did.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    passed: usize,
    failed: usize,
    excluded: usize,
}

/// Runs every script below a folder.
pub(crate) fn run(request: &Request) -> Result<(), String> {
    let (Some(bin), Some(folder)) = (&request.bin, &request.scripts) else {
        return Err(
            "type: sudo -E cargo ci packetdrill --bin PATH_OF_PACKETDRILL --scripts FOLDER (built elsewhere from \
                    github.com/google/packetdrill)"
                .to_owned(),
        );
    };
    if !tools::is_root() {
        return Err(
            "packetdrill locks its memory and scripts set sysctls; type: sudo -E cargo ci packetdrill …".to_owned()
        );
    }
    tools::ensure(tools::PACKETDRILL)?;
    command(&mut cargo(["build", "--package", "packetdrill-mirage"]))?;
    let runner = Runner { bin: canonical(bin)?, object: workspace::target().join("debug/libpacketdrill_mirage.so") };
    let folder = canonical(folder)?;
    let exclusions = match request.all {
        true => Exclusions::default(),
        false => Exclusions::read(&workspace::root().join("ci/packetdrill/exclusions.txt"))?,
    };
    let scripts = find(&folder)?;
    if scripts.is_empty() {
        return Err(format!("{} has no scripts (*.pkt)", folder.display()));
    }
    let verdicts = run_all(&runner, &folder, &scripts, &exclusions);
    report(&folder, &scripts, &verdicts, &exclusions, request.verbose)
}

/// Runs the scripts on as many threads as there are processors; the verdict of each, `None` for one that is excluded.
fn run_all(runner: &Runner, folder: &Path, scripts: &[PathBuf], exclusions: &Exclusions) -> Vec<Option<Verdict>> {
    let verdicts = Mutex::new(vec![None; scripts.len()]);
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if exclusions.reason(name(folder, script)).is_some() {
                        continue;
                    }
                    let verdict = runner.run(script);
                    if let Ok(mut verdicts) = verdicts.lock()
                        && let Some(at) = scripts.iter().position(|other| other == script)
                    {
                        verdicts[at] = Some(verdict);
                    }
                }
            });
        }
    });
    verdicts.into_inner().unwrap_or_default()
}

fn report(
    folder: &Path,
    scripts: &[PathBuf],
    verdicts: &[Option<Verdict>],
    exclusions: &Exclusions,
    verbose: bool,
) -> Result<(), String> {
    let mut folders: BTreeMap<String, Count> = BTreeMap::new();
    let mut total = Count::default();
    let mut failures = Vec::new();
    let mut excluded: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (script, verdict) in scripts.iter().zip(verdicts) {
        let name = name(folder, script);
        let parent = name.rsplit_once('/').map_or(".", |(parent, _)| parent);
        let counts = [folders.entry(parent.to_owned()).or_default(), &mut total];
        match verdict {
            Some(Verdict::Passed) => counts.into_iter().for_each(|count| count.passed += 1),
            Some(Verdict::Failed(reason)) => {
                counts.into_iter().for_each(|count| count.failed += 1);
                failures.push((name, reason));
            }
            None => {
                counts.into_iter().for_each(|count| count.excluded += 1);
                excluded.entry(exclusions.reason(name).unwrap_or("not run")).or_default().push(name.to_owned());
            }
        }
    }
    println!("{:<28} {:>7} {:>7} {:>9}", "folder", "passed", "failed", "excluded");
    for (name, count) in folders.iter().map(|(name, count)| (name.as_str(), count)).chain([("all", &total)]) {
        println!("{name:<28} {:>7} {:>7} {:>9}", count.passed, count.failed, count.excluded);
    }
    if !excluded.is_empty() {
        println!("\nexcluded:");
        for (reason, names) in &excluded {
            println!("  {reason}: {}", names.join(" "));
        }
    }
    if !failures.is_empty() {
        println!("\nfailed:");
        for (name, reason) in &failures {
            match verbose {
                true => println!("  {name}: {reason}"),
                false => println!("  {name}"),
            }
        }
    }
    write(&folders, total)?;
    match failures.len() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} scripts failed", total.passed + total.failed)),
    }
}

/// `target/bench/packetdrill.json`.
fn write(folders: &BTreeMap<String, Count>, total: Count) -> Result<(), String> {
    let row = |name: &str, count: Count| json!({ "name": name, "passed": count.passed, "failed": count.failed, "excluded": count.excluded });
    let rows: Vec<_> = folders.iter().map(|(name, count)| row(name, *count)).chain([row("all", total)]).collect();
    let target = workspace::target().join("bench");
    let path = target.join("packetdrill.json");
    let text = format!("{:#}\n", json!({ "bench": "packetdrill", "rows": rows }));
    std::fs::create_dir_all(&target)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// All scripts below a folder, in order.
fn find(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut scripts = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "pkt") {
                scripts.push(path);
            }
        }
    }
    scripts.sort();
    Ok(scripts)
}

/// A script's path below the folder.
fn name<'p>(folder: &Path, script: &'p Path) -> &'p str {
    script.strip_prefix(folder).unwrap_or(script).to_str().unwrap_or_default()
}

fn canonical(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}
