//! Being another program.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::failure::{OrFail, Result};

/// Puts `command` in the place of this process, which so gets its signals and gives its exit code. Returns only if it could
/// not.
pub(super) fn become_it(command: &mut Command) -> Result<ExitCode> {
    let program = command.get_program().to_owned();
    Err(command.exec()).or_fail(|| program.display().to_string())
}
