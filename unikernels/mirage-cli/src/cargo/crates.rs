//! What crates an image is made of.

use std::collections::BTreeSet;
use std::path::Path;

use super::Job;
use crate::failure::{Failure, OrFail, Result};
use crate::target::Target;

/// A crate that is linked into an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    /// Its package's name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The features that are on.
    pub(crate) features: Vec<String>,
    /// Its folder as the names of its sources have it, if it is not from a registry: see [`super::Remap`].
    pub(crate) folder: Option<String>,
}

/// The crates of `job`'s image with the application itself, in the order of their names: no build scripts, no macros.
pub(crate) fn crates(job: &Job<'_>) -> Result<Vec<Crate>> {
    let lines = tree(job, "normal,no-proc-macro")?;
    let root = match job.target {
        Target::Unix => None,
        Target::Spt | Target::Hvt | Target::Virtio => Some(job.project.root()),
    };
    lines.iter().map(|line| Crate::parse(line, root)).collect::<Option<_>>().ok_or_else(|| {
        Failure::new(
            "`cargo tree` gives lines that this version of mirage does not know; install the newest mirage-cli",
        )
    })
}

/// How many packages are compiled for it, build scripts and macros too.
pub(super) fn count(job: &Job<'_>) -> Result<usize> {
    Ok(tree(job, "no-dev")?.len())
}

fn tree(job: &Job<'_>, edges: &str) -> Result<BTreeSet<String>> {
    let mut command = job.cargo("tree");
    command.args(["--edges", edges, "--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"]);
    let output = command.output().or_fail(|| "cargo tree".into())?;
    if !output.status.success() {
        return Err(Failure::new(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).filter(|line| !line.is_empty()).collect())
}

impl Crate {
    /// Reads `name v1.2.3 (place)|feature,feature`. With `root`, what [`super::Remap`] leaves out of folders is left out.
    fn parse(line: &str, root: Option<&Path>) -> Option<Self> {
        let (package, features) = line.rsplit_once('|')?;
        let (name, rest) = package.split_once(" v")?;
        let (version, place) = rest.split_once(" (").map_or((rest, None), |(version, place)| (version, Some(place)));
        // Macros have a mark before their place; repositories have an address.
        let place = place.and_then(|place| place.strip_suffix(')')).map(Path::new).filter(|place| place.is_absolute());
        let folder = place.map(|place| match root {
            Some(root) => place.strip_prefix(root).ok().or(place.file_name().map(Path::new)).unwrap_or(place),
            None => place,
        });
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            features: features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect(),
            folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree_are_read() {
        let root = Some(Path::new("/home/u/app"));
        let parse = |line| Crate::parse(line, root).expect("a crate");
        let outside = parse("embedded-io v0.7.1|alloc,std");
        assert_eq!((outside.name.as_str(), outside.version.as_str()), ("embedded-io", "0.7.1"));
        assert_eq!((outside.features, outside.folder), (vec!["alloc".into(), "std".into()], None));
        let member = parse("mirage-arp v0.1.0 (/home/u/app/net/mirage-arp)|");
        assert_eq!((member.features, member.folder), (vec![], Some("net/mirage-arp".into())));
        assert_eq!(parse("app v1.0.0-rc.1 (/home/u/app)|").folder, Some(String::new()));
        assert_eq!(parse("other v0.1.0 (/home/u/else)|").folder, Some("else".into()));
        assert_eq!(parse("far v0.1.0 (https://x.org/far?rev=1#1)|").folder, None);
        let process = Crate::parse("other v0.1.0 (/home/u/else)|", None).expect("a crate");
        assert_eq!(process.folder, Some("/home/u/else".into()));
        assert_eq!(Crate::parse("[build-dependencies]", root), None);
    }
}
