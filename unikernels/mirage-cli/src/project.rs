//! The applications of the folder that the command was typed in.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};

use crate::failure::{Failure, OrFail, Result};
use crate::target::Target;

/// A Cargo workspace, or a package that is alone.
pub(crate) struct Project {
    metadata: Metadata,
}

/// A package that becomes images.
pub(crate) struct Application<'p> {
    package: &'p Package,
}

impl Project {
    /// Asks cargo about the current folder, and fetches what is missing of the dependencies.
    pub(crate) fn find(locked: bool) -> Result<Self> {
        let mut command = MetadataCommand::new();
        if let Some(cargo) = std::env::var_os("CARGO") {
            command.cargo_path(cargo);
        }
        if locked {
            command.other_options(["--locked".to_owned()]);
        }
        match command.exec() {
            Ok(metadata) => Ok(Self { metadata }),
            Err(cargo_metadata::Error::CargoMetadata { stderr }) => Err(Failure::new(said(&stderr))),
            Err(error) => {
                Err(Failure::new(format!("cargo does not run ({error}): install Rust from https://rustup.rs")))
            }
        }
    }

    /// The workspace's top folder.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where images end up.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root().join("dist")
    }

    /// Where cargo builds images for `target`.
    pub(crate) fn target_folder(&self, target: Target) -> PathBuf {
        let folder = self.metadata.target_directory.as_std_path();
        match target {
            // Shared with everything else that is built for this machine.
            Target::Unix => folder.to_owned(),
            Target::Spt | Target::Hvt | Target::Virtio => folder.join("mirage").join(target.name()),
        }
    }

    /// Every package that is in the graph, also those that a particular build does without.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// The application called `name`, else the one of the current folder.
    ///
    /// # Errors
    /// There is none, or several to choose from.
    pub(crate) fn application(&self, name: Option<&str>) -> Result<Application<'_>> {
        let applications = self.applications();
        let names = || applications.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ");
        let chosen = match name {
            Some(name) => applications.iter().find(|package| package.name == name),
            None => self.current().and_then(|current| applications.iter().find(|package| package.id == current.id)),
        };
        match (chosen, name, applications.as_slice()) {
            (Some(package), ..) | (None, None, [package]) => Ok(Application { package }),
            (.., []) => Err(Failure::new(
                "no package here depends on mirage-platform and has a program; `mirage new NAME` makes one",
            )),
            (None, Some(name), _) => {
                Err(Failure::usage(format!("{name} is no application here; there is {}", names())))
            }
            (None, None, _) => Err(Failure::usage(format!("which application? Give -p and one of {}", names()))),
        }
    }

    /// Fails if there is no profile for images.
    pub(crate) fn check_profile(&self) -> Result<()> {
        let path = self.root().join("Cargo.toml");
        let text = std::fs::read_to_string(&path).or_fail(|| path.display().to_string())?;
        let manifest: toml::Table = text.parse().or_fail(|| path.display().to_string())?;
        let image = manifest.get("profile").and_then(|profile| profile.get("image"));
        if image.is_some() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} has no profile for images; add: [profile.image] inherits = \"release\", opt-level = \"s\", lto = \"fat\", \
             codegen-units = 1, panic = \"abort\", debug = \"line-tables-only\", each on a line of its own",
            path.display()
        )))
    }

    fn applications(&self) -> Vec<&Package> {
        let mut applications = self.metadata.workspace_packages();
        applications.retain(|package| {
            let has_program = package.targets.iter().any(|target| target.kind.contains(&TargetKind::Bin));
            has_program && package.dependencies.iter().any(|dependency| dependency.name == PLATFORM)
        });
        applications
    }

    /// The package that the current folder belongs to.
    fn current(&self) -> Option<&Package> {
        let here = std::env::current_dir().ok()?;
        let folder = |package: &&Package| Path::new(&package.manifest_path).parent().map(Path::to_owned);
        let mut around = self.metadata.workspace_packages();
        around.retain(|package| folder(package).is_some_and(|folder| here.starts_with(folder)));
        around.into_iter().max_by_key(|package| package.manifest_path.as_str().len())
    }
}

impl Application<'_> {
    /// Its name, which is also that of its program.
    pub(crate) fn name(&self) -> &str {
        &self.package.name
    }

    /// Its version.
    pub(crate) fn version(&self) -> String {
        self.package.version.to_string()
    }

    /// Fails if it has no feature for `target`.
    pub(crate) fn check_target(&self, target: Target) -> Result<()> {
        let feature = target.feature();
        // A package that knows no other target is a process without saying so.
        if target == Target::Unix || self.package.features.contains_key(feature) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} cannot be built for {target}: add `{feature} = [\"{PLATFORM}/{feature}\"]` to the features in {}",
            self.name(),
            self.package.manifest_path
        )))
    }
}

/// What cargo gives as its reason.
fn said(stderr: &str) -> String {
    let reason = stderr.split_once("error: ").map_or(stderr, |(_, reason)| reason);
    reason.to_owned()
}

const PLATFORM: &str = "mirage-platform";
