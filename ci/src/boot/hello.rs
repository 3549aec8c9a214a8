//! The smallest image.

use super::Images;
use super::guest::to_the_end;
use crate::kernel::same;

/// It prints its greeting and ends with 0.
pub(super) fn greets(images: &Images) -> Result<(), String> {
    same("the greeting", to_the_end(images.command("hello.spt"))?, ("Hello World!\n".to_owned(), Some(0)))?;
    let mut command = images.command("hello.spt");
    command.args(["--", "--hello=a \"b\" \\c"]);
    same("the greeting asked for", to_the_end(command)?, ("a \"b\" \\c\n".to_owned(), Some(0)))
}

/// Help, version and nonsense end with the codes that they have on Unix.
pub(super) fn codes(images: &Images) -> Result<(), String> {
    let run = |argument: &str| {
        let mut command = images.command("hello.spt");
        command.args(["--", argument]);
        to_the_end(command)
    };
    let (help, code) = run("--help")?;
    same("the code of --help", code, Some(63))?;
    same("help lists the argument", help.contains("--hello=TEXT"), true)?;
    same("the code of --version", run("--version")?.1, Some(63))?;
    let (complaint, code) = run("--nonsense")?;
    same("the code of nonsense", code, Some(64))?;
    same("the complaint names it", complaint.contains("--nonsense: unknown argument"), true)
}

/// The same in each machine.
pub(super) fn greets_in_machines(images: &Images) -> Result<(), String> {
    for machine in ["microvm", "q35", "pc"] {
        let mut command = images.command("hello.virtio");
        command.args(["--machine", machine, "--", &format!("--hello=on {machine}")]);
        same("the greeting", to_the_end(command)?, (format!("on {machine}\n"), Some(0)))?;
        let mut command = images.command("hello.virtio");
        command.args(["--machine", machine, "--", "--nonsense"]);
        same("the code of nonsense", to_the_end(command)?.1, Some(64))?;
    }
    Ok(())
}
