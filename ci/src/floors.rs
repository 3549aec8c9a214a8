//! The floor rule: a crate depends only on floors above its own, or on its own.

use std::path::Path;

use cargo_metadata::{DependencyKind, Package};

use crate::workspace;

/// The floors from the top down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Floor {
    Interfaces,
    Net,
    Storage,
    Backends,
    Unikernels,
    Ci,
}

impl Floor {
    fn of(folder: &Path) -> Option<Self> {
        Some(match folder.components().next()?.as_os_str().to_str()? {
            "interfaces" => Self::Interfaces,
            "net" => Self::Net,
            "storage" => Self::Storage,
            "backends" => Self::Backends,
            "unikernels" => Self::Unikernels,
            "ci" => Self::Ci,
            _ => return None,
        })
    }

    /// Whether a crate of this floor may name one of `other`.
    fn may_name(self, other: Self) -> bool {
        match self {
            Self::Interfaces => other == Self::Interfaces,
            Self::Net => matches!(other, Self::Interfaces | Self::Net),
            // The embedded files and static file servers meet in applications, not here.
            Self::Storage => matches!(other, Self::Interfaces | Self::Storage),
            Self::Backends => matches!(other, Self::Interfaces | Self::Backends),
            Self::Unikernels => other != Self::Ci,
            Self::Ci => true,
        }
    }
}

/// Every dependency that breaks the rule, as a sentence. Tests may use what they like.
pub(crate) fn breaches() -> Result<Vec<String>, String> {
    let metadata = workspace::metadata()?;
    let packages = metadata.workspace_packages();
    let mut breaches = Vec::new();
    for package in &packages {
        let Some(floor) = Floor::of(workspace::folder(package)) else {
            breaches.push(format!("{} lies on no floor", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            let Some(named) = packages.iter().find(|p| p.name.as_str() == dependency.name) else { continue };
            let below = Floor::of(workspace::folder(named)).is_none_or(|other| !floor.may_name(other));
            if below {
                breaches.push(sentence(package, named));
            }
        }
    }
    Ok(breaches)
}

fn sentence(package: &Package, named: &Package) -> String {
    format!(
        "{} ({}) names {} ({}), which lies on a lower floor",
        package.name,
        workspace::folder(package).display(),
        named.name,
        workspace::folder(named).display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_never_names_a_backend() {
        assert!(!Floor::Net.may_name(Floor::Backends));
        assert!(!Floor::Net.may_name(Floor::Storage));
        assert!(Floor::Net.may_name(Floor::Interfaces));
    }

    #[test]
    fn a_backend_never_names_a_protocol() {
        assert!(!Floor::Backends.may_name(Floor::Net));
        assert!(!Floor::Backends.may_name(Floor::Unikernels));
    }

    #[test]
    fn the_workspace_keeps_the_rule() {
        assert_eq!(breaches(), Ok(Vec::new()));
    }
}
