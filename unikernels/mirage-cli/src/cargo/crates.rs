//! What crates an image is made of.

use std::collections::BTreeSet;

use super::Job;
use crate::failure::{Failure, OrFail, Result};

/// A crate that is linked into an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    /// Its package's name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The features that are on.
    pub(crate) features: Vec<String>,
    /// Its folder, if it lies below the workspace's: counted from there.
    pub(crate) folder: Option<String>,
}

/// The crates of `job`'s image with the application itself, in the order of their names: no build scripts, no macros.
pub(crate) fn crates(job: &Job<'_>) -> Result<Vec<Crate>> {
    let root = job.project.root().to_string_lossy();
    let lines = tree(job, "normal,no-proc-macro")?;
    lines.iter().map(|line| Crate::parse(line, &root)).collect::<Option<_>>().ok_or_else(|| {
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
    /// Reads `name v1.2.3 (place)|feature,feature`.
    fn parse(line: &str, root: &str) -> Option<Self> {
        let (package, features) = line.rsplit_once('|')?;
        let (name, rest) = package.split_once(" v")?;
        let (version, place) = rest.split_once(" (").map_or((rest, None), |(version, place)| (version, Some(place)));
        let folder = place.and_then(|place| place.strip_suffix(')')?.strip_prefix(root));
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            features: features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect(),
            folder: folder.map(|folder| folder.trim_start_matches('/').to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree_are_read() {
        let parse = |line| Crate::parse(line, "/home/u/app").expect("a crate");
        let outside = parse("embedded-io v0.7.1|alloc,std");
        assert_eq!((outside.name.as_str(), outside.version.as_str()), ("embedded-io", "0.7.1"));
        assert_eq!((outside.features, outside.folder), (vec!["alloc".into(), "std".into()], None));
        let member = parse("mirage-arp v0.1.0 (/home/u/app/net/mirage-arp)|");
        assert_eq!((member.features, member.folder), (vec![], Some("net/mirage-arp".into())));
        assert_eq!(parse("app v1.0.0-rc.1 (/home/u/app)|").folder, Some(String::new()));
        assert_eq!(parse("other v0.1.0 (/home/u/other)|").folder, None);
        assert_eq!(Crate::parse("[build-dependencies]", ""), None);
    }
}
