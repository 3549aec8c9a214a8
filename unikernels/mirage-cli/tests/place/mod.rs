//! A folder to type commands in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of a test's own; what cargo builds there stays for the next run.
pub(crate) struct Place {
    folder: PathBuf,
    target: PathBuf,
    /// Whether what is built there is small and fast, as it is for users.
    is_real: bool,
}

/// The top folder of this workspace.
pub(crate) fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::canonicalize(root).expect("this package lies two folders below the top")
}

impl Place {
    /// An empty one, outside of every workspace.
    pub(crate) fn empty(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mirage-cli-{}-{test}", std::process::id()));
        remove(&folder);
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        Self { folder, target: Path::new(env!("CARGO_TARGET_TMPDIR")).join("mirage-cli"), is_real: false }
    }

    /// One with a new unikernel, in whose folder commands are typed.
    pub(crate) fn with_unikernel(test: &str, name: &str) -> Self {
        let mut place = Self::empty(test);
        let root = workspace();
        let made = place.mirage(&["new", name, "--path-dependencies", root.to_str().expect("UTF-8")]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        place.folder.push(name);
        // The versions that everything else here is tested with.
        fs::copy(root.join("Cargo.lock"), place.folder.join("Cargo.lock")).expect("a lock file");
        let mut cargo = place.prepared(Command::new(env!("CARGO")));
        let output = cargo.args(["metadata", "--format-version=1", "--quiet"]).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        place
    }

    /// One with copies of all sources of this workspace, and with builds of its own.
    pub(crate) fn with_copy_of_everything(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("copies").join(name);
        remove(&folder);
        copy(&workspace(), &folder);
        Self { target: folder.join("target"), folder, is_real: true }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// `mirage` with `arguments`, to be run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepared(Command::new(env!("CARGO_BIN_EXE_mirage")));
        command.args(arguments);
        command
    }

    /// Runs it.
    pub(crate) fn mirage(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it starts")
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", &self.target).env("CARGO", env!("CARGO"));
        // What the test runner was started with is not for what it starts.
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
        if self.is_real {
            return command;
        }
        // Processes need not be fast here, but soon there.
        let quick = [("LTO", "off"), ("CODEGEN_UNITS", "16"), ("OPT_LEVEL", "1"), ("DEBUG", "line-tables-only")];
        for (key, value) in quick {
            command.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
        }
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.folder.starts_with(std::env::temp_dir()) {
            remove(&self.folder);
        }
    }
}

fn remove(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("it is this test's own");
    }
}

/// Copies sources, without what was built from them.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder of this test's own");
    for entry in fs::read_dir(from).expect("it can be read") {
        let entry = entry.expect("it can be read");
        let name = entry.file_name();
        if ["target", ".git", "dist", ".mirage", "corpus", "artifacts"].iter().any(|other| name == *other) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(from, to).expect("it can be copied")),
        }
    }
}
