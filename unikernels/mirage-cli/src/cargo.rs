//! What is asked of cargo.

mod compile;
mod crates;
mod progress;
mod remap;
mod toolchain;

pub(crate) use compile::compile;
pub(crate) use crates::{Crate, crates};
pub(crate) use remap::Remap;
pub(crate) use toolchain::Toolchain;

use std::process::Command;

use crate::project::{Application, Project};
use crate::target::Target;

/// One image to build.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) project: &'a Project,
    pub(crate) application: &'a Application<'a>,
    pub(crate) target: Target,
    /// Whether Cargo.lock must already say it all.
    pub(crate) locked: bool,
}

impl Job<'_> {
    /// `cargo task` for this image.
    fn cargo(&self, task: &str) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Cargo reads its settings from where it runs; the top folder is the same for everyone.
        command.current_dir(self.project.root());
        command.args([task, "--quiet", "--package", self.application.name()]);
        match self.target {
            Target::Unix => {}
            Target::Spt | Target::Hvt | Target::Virtio => {
                command.args(["--no-default-features", "--features", self.target.feature()]);
            }
        }
        if self.locked {
            command.arg("--locked");
        }
        command
    }
}
