//! `mirage configure`: remembers how an application is to be built and run.

use super::build::shown;
use crate::arguments::{self, Launch};
use crate::failure::{Failure, OrFail, Result};
use crate::output::{answer, invocation};
use crate::project::Project;
use crate::settings;
use crate::target::Target;
use crate::tools;

/// Remembers it, and says what is missing on this machine, or what to do next.
pub(crate) fn run(arguments: arguments::Configure) -> Result<()> {
    let project = Project::find(false)?;
    let application = project.application(arguments.which.package.as_deref())?;
    let Some(target) = arguments.launch.target else {
        return Err(Failure::usage("for which target? Give -t and one of unix, spt, hvt, virtio"));
    };
    application.check_target(target)?;
    if target != Target::Unix {
        project.check_profile()?;
    }
    let mut launch = arguments.launch;
    for block in &mut launch.block {
        // The command that needs it may be typed elsewhere.
        block.path = std::path::absolute(&block.path).or_fail(|| block.path.display().to_string())?;
    }
    let file = settings::file(&project, &application);
    settings::write(&file, &launch)?;
    let name = application.name();
    answer(format_args!("{name} is configured for {target} in {}", shown(&file).display()));
    check(target, &launch)?;
    let mirage = invocation();
    answer(format_args!("Next: {mirage} run -p {name}, or {mirage} build -p {name}"));
    Ok(())
}

/// Fails if it could not run here.
fn check(target: Target, launch: &Launch) -> Result<()> {
    tools::check(target, launch)?;
    match launch.block.iter().find(|block| !block.path.exists()) {
        None => Ok(()),
        Some(block) => {
            let path = shown(&block.path).display();
            Err(Failure::new(format!("{path} does not exist; `truncate -s 1M {path}` makes a disk of 1 MiB")))
        }
    }
}
