//! `mirage build`: an image in `dist/`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::arguments::{self, Launch};
use crate::cargo::{self, Job, Toolchain};
use crate::failure::{OrFail, Result};
use crate::image::{self, Inventory};
use crate::libvirt;
use crate::output;
use crate::plan::Plan;
use crate::project::Project;
use crate::settings;
use crate::target::Target;

/// What was built.
pub(crate) struct Built {
    /// The image in `dist/`.
    pub(crate) path: PathBuf,
    /// Whether this call made it.
    pub(crate) is_new: bool,
}

/// Builds as the flags and the settings say, and tells where the image is.
pub(crate) fn run(arguments: &arguments::Build) -> Result<()> {
    let project = Project::find(arguments.locked)?;
    let application = project.application(arguments.which.package.as_deref())?;
    let remembered = settings::read(&settings::file(&project, &application))?;
    let target = arguments.target.or(remembered.target).unwrap_or(Target::Unix);
    let job = Job { project: &project, application: &application, target, locked: arguments.locked };
    let built = build(&job, &remembered)?;
    let size = fs::metadata(&built.path).or_fail(|| built.path.display().to_string())?.len();
    let state = if built.is_new { "" } else { ", as it was" };
    output::answer(format_args!("{} ({size} bytes{state})", shown(&built.path).display()));
    Ok(())
}

/// Builds `job`'s image; says nothing if there is nothing to do. Beside a virtual machine's image it writes how `launch`
/// would run it.
pub(crate) fn build(job: &Job<'_>, launch: &Launch) -> Result<Built> {
    job.application.check_target(job.target)?;
    if job.target != Target::Unix {
        job.project.check_profile()?;
    }
    let toolchain = Toolchain::find()?;
    let program = cargo::compile(job, &toolchain)?;
    let path = job.project.dist().join(job.target.file(job.application.name()));
    let is_new = !is_newer(&path, &program);
    if is_new {
        pack(job, toolchain, &program, &path)?;
    }
    if job.target == Target::Virtio {
        write_recipes(job, launch, &path)?;
    }
    Ok(Built { path, is_new })
}

/// Makes the image at `path` from the compiler's `program`.
fn pack(job: &Job<'_>, toolchain: Toolchain, program: &Path, path: &Path) -> Result<()> {
    let inventory = Inventory {
        name: job.application.name().to_owned(),
        version: job.application.version(),
        target: job.target,
        rustc: toolchain.release,
        crates: cargo::crates(job)?,
    };
    let dist = job.project.dist();
    fs::create_dir_all(&dist).or_fail(|| dist.display().to_string())?;
    let file = fs::read(program).or_fail(|| program.display().to_string())?;
    match job.target {
        Target::Unix => write(path, &[&file, &inventory.long_trailer()]),
        Target::Spt | Target::Hvt | Target::Virtio => {
            write(&debug(path), &[&file, &inventory.long_trailer()])?;
            let stripped = image::strip(&file).or_fail(|| program.display().to_string())?;
            let stripped = match job.target {
                Target::Virtio => image::pack(stripped).or_fail(|| program.display().to_string())?,
                _ => stripped,
            };
            write(path, &[&stripped, &inventory.trailer()])
        }
    }
}

/// Writes the command line for QEMU and the domain for libvirt.
fn write_recipes(job: &Job<'_>, launch: &Launch, path: &Path) -> Result<()> {
    let plan = match Plan::new(path, launch) {
        Ok(plan) => plan,
        Err(reason) => {
            output::note(format_args!("there is no command line for QEMU yet: {reason}"));
            return Ok(());
        }
    };
    let qemu = plan.qemu(path);
    let recipes = [("qemu", qemu.command_line() + "\n"), ("xml", libvirt::domain(job.application.name(), &qemu))];
    recipes.iter().try_for_each(|(kind, text)| {
        let path = path.with_added_extension(kind);
        fs::write(&path, text).or_fail(|| path.display().to_string())
    })
}

/// The file with the symbols of the image at `path`.
pub(crate) fn debug(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".debug");
    name.into()
}

/// `path` as seen from the current folder.
pub(crate) fn shown(path: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path)
}

/// Whether `image` was made from `program` as it is now, by this tool as it is now.
fn is_newer(image: &Path, program: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let tool = std::env::current_exe().ok().and_then(|tool| time(&tool)).unwrap_or(SystemTime::UNIX_EPOCH);
    match (time(image), time(program)) {
        (Some(image), Some(program)) => image > program && image > tool,
        _ => false,
    }
}

/// Writes `parts` as a program that may be run, all or nothing.
fn write(path: &Path, parts: &[&[u8]]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let write = |path: &Path| -> std::io::Result<()> {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o755).open(path)?;
        parts.iter().try_for_each(|part| file.write_all(part))
    };
    // Beside it first: the file may be running, and a half-written one must not look finished.
    let beside = path.with_added_extension("new");
    write(&beside).and_then(|()| fs::rename(&beside, path)).or_fail(|| path.display().to_string())
}
