//! `mirage run`: builds if need be, and runs.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use super::build;
use crate::arguments::{self, Launch};
use crate::cargo::Job;
use crate::failure::{Failure, OrFail, Result};
use crate::project::Project;
use crate::settings;
use crate::target::Target;

/// Runs as the flags and the settings say. The exit code is the image's.
pub(crate) fn run(arguments: arguments::Run) -> Result<ExitCode> {
    let project = Project::find(arguments.locked)?;
    let application = project.application(arguments.which.package.as_deref())?;
    let launch = arguments.launch.over(settings::read(&settings::file(&project, &application))?);
    let target = launch.target.unwrap_or(Target::Unix);
    let built = build::build(&Job { project: &project, application: &application, target, locked: arguments.locked })?;
    match target {
        Target::Unix => become_process(Command::new(&built.path).args(process_arguments(&launch))),
        Target::Spt => {
            let mut tender = Command::new("/opt/solo5/bin/solo5-spt");
            tender.arg("--mem=64").arg(&built.path).args(&launch.arguments);
            become_process(&mut tender)
        }
        Target::Hvt | Target::Virtio => Err(Failure::new("not yet")),
    }
}

/// What a process is told of its devices, and its own arguments.
fn process_arguments(launch: &Launch) -> Vec<String> {
    let nets = launch.net.iter().map(|net| format!("--net={net}"));
    let blocks = launch.block.iter().map(|block| format!("--block={block}"));
    let forwards = launch.forward.iter().map(|forward| format!("--forward={forward}"));
    nets.chain(blocks).chain(forwards).chain(launch.arguments.iter().cloned()).collect()
}

/// Puts `command` in the place of this process, which so gets its signals and gives its exit code.
fn become_process(command: &mut Command) -> Result<ExitCode> {
    let program = command.get_program().to_owned();
    Err(command.exec()).or_fail(|| program.display().to_string())
}
