//! `mirage clean`: removes what this tool made.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::arguments;
use crate::failure::{OrFail, Result};
use crate::project::Project;
use crate::settings;
use crate::target::Target;

/// Removes one application's images and settings, or those of all and what was built for them.
///
/// Processes are built among everything else that cargo builds; `cargo clean` removes that.
pub(crate) fn run(arguments: &arguments::Clean) -> Result<()> {
    let project = Project::find(false)?;
    let Some(name) = arguments.which.package.as_deref() else {
        let builds = project.target_folder(Target::Spt);
        let builds = builds.parent().map(Path::to_owned);
        return builds
            .into_iter()
            .chain([project.dist(), settings::folder(&project)])
            .try_for_each(|path| remove(&path));
    };
    let application = project.application(Some(name))?;
    remove(&settings::file(&project, &application))?;
    for target in Target::ALL {
        let image = project.dist().join(target.file(application.name()));
        remove(&image)?;
        for kind in ["debug", "xml", "qemu"] {
            remove(&image.with_added_extension(kind))?;
        }
    }
    Ok(())
}

/// Removes a file or a folder; it need not be there.
fn remove(path: &Path) -> Result<()> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).or_fail(|| path.display().to_string()),
        _ => Ok(()),
    }
}
