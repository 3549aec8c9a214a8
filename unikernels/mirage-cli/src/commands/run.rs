//! `mirage run`: builds if need be, and runs.

mod machine;
mod process;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::build;
use crate::arguments::{self, Forward, Launch, Tender};
use crate::cargo::Job;
use crate::failure::{Failure, OrFail, Result};
use crate::image::Facts;
use crate::output;
use crate::plan::Plan;
use crate::project::Project;
use crate::settings;
use crate::solo5;
use crate::spt;
use crate::target::Target;
use crate::tools;

/// Runs as the flags and the settings say. The exit code is the image's.
pub(crate) fn run(arguments: arguments::Run) -> Result<ExitCode> {
    if let Some(image) = &arguments.image {
        let file = fs::read(image).or_fail(|| image.display().to_string())?;
        let facts = Facts::of(&file).or_fail(|| image.display().to_string())?;
        let target = facts.target.unwrap_or(Target::Unix);
        tools::check(target, &arguments.launch)?;
        // A name alone would be looked for on the PATH.
        let image = std::path::absolute(image).or_fail(|| image.display().to_string())?;
        return start(target, &image, &arguments.launch);
    }
    let project = Project::find(arguments.locked)?;
    let application = project.application(arguments.which.package.as_deref())?;
    let remembered = settings::read(&settings::file(&project, &application))?;
    let launch = arguments.launch.over(remembered.clone());
    let target = launch.target.unwrap_or(Target::Unix);
    // Before minutes of compiling.
    tools::check(target, &launch)?;
    let job = Job { project: &project, application: &application, target, locked: arguments.locked };
    start(target, &build::build(&job, &remembered)?.path, &launch)
}

/// Runs `image`, which is for `target`.
fn start(target: Target, image: &Path, launch: &Launch) -> Result<ExitCode> {
    match target {
        Target::Unix => process::become_it(Command::new(image).args(process_arguments(launch))),
        Target::Spt if launch.tender.unwrap_or_default() == Tender::Builtin => spt(image, launch),
        Target::Spt => tender("solo5-spt", image, launch),
        Target::Hvt => tender("solo5-hvt", image, launch),
        Target::Virtio => {
            let mut plan = Plan::new(image, launch)?;
            plan.choose_ports()?;
            for Forward(forward) in &plan.forwards {
                output::note(format_args!("{} leads to the guest's port {}", forward.host, forward.service.port));
            }
            machine::run(&plan.qemu(image))
        }
    }
}

/// What a process is told of its devices, and its own arguments.
fn process_arguments(launch: &Launch) -> Vec<String> {
    // A process has one network, so there is no name to tell.
    let nets = launch.net.iter().map(|net| format!("--net={}", net.attachment));
    let blocks = launch.block.iter().map(|block| format!("--block={block}"));
    let forwards = launch.forward.iter().map(|forward| format!("--forward={forward}"));
    nets.chain(blocks).chain(forwards).chain(launch.arguments.iter().cloned()).collect()
}

/// Puts a tender of Solo5's in the place of this process.
fn tender(name: &str, image: &Path, launch: &Launch) -> Result<ExitCode> {
    let plan = Plan::new(image, launch)?;
    let arguments = solo5::arguments(image, plan.memory, &plan.devices, &launch.arguments)?;
    process::become_it(Command::new(tools::solo5(name)?).args(arguments))
}

/// Makes this process the image.
fn spt(image: &Path, launch: &Launch) -> Result<ExitCode> {
    let plan = Plan::new(image, launch)?;
    let Err(error) = spt::run(&plan.spt(image, &launch.arguments));
    Err(Failure::new(error.to_string()))
}
