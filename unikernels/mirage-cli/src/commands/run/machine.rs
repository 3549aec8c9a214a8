//! A virtual machine beside this process.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, OrFail, Result};
use crate::output::pass_on;
use crate::qemu::{Qemu, exit_code};
use crate::tools;

/// Runs the machine until it ends or this process is told to stop. The exit code is the image's.
pub(super) fn run(qemu: &Qemu<'_>) -> Result<ExitCode> {
    let mut command = Command::new(tools::qemu()?);
    command.args(qemu.arguments());
    // Away from the terminal: what is typed there is not for the image, and a signal comes through this process.
    command.stdin(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).or_fail(|| "signals".into())?;
    let handle = signals.handle();
    let mut machine = command.spawn().or_fail(|| "qemu-system-x86_64".into())?;
    let pid = Pid::from_child(&machine);
    let stopped = AtomicBool::new(false);
    let (status, complained) = thread::scope(|scope| {
        scope.spawn(|| {
            for _ in &mut signals {
                // Whoever asks twice does not want to wait.
                let signal = if stopped.swap(true, Ordering::Relaxed) { Signal::KILL } else { Signal::TERM };
                let _ = kill_process(pid, signal);
            }
        });
        let complained = machine.stderr.take().is_some_and(|said| relay(said, pass_on));
        let status = wait(&mut machine);
        handle.close();
        (status, complained)
    });
    let status = status?;
    if stopped.into_inner() {
        // As an image that is a process ends when it is asked to.
        return Ok(ExitCode::SUCCESS);
    }
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        // QEMU's own failure has the same number as an image's success.
        Some(1) if complained => Err(Failure::new("QEMU did not start the image; it says why above")),
        Some(code) => Ok(ExitCode::from(exit_code(code))),
        None => Err(Failure::new(format!("QEMU ended: {status}"))),
    }
}

fn wait(machine: &mut Child) -> Result<std::process::ExitStatus> {
    machine.wait().or_fail(|| "qemu-system-x86_64".into())
}

/// Tells what QEMU says, until it has no more to say. Whether there was an error among it.
fn relay(said: impl Read, tell: impl Fn(&str)) -> bool {
    let mut complained = false;
    for line in BufReader::new(said).split(b'\n').map_while(|line| line.ok()) {
        let line = String::from_utf8_lossy(&line);
        if line.contains("terminating on signal") {
            continue;
        }
        complained |= line.starts_with("qemu-system-x86_64:") && !line.contains("warning:");
        tell(&line);
    }
    complained
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_qemu_are_told_from_warnings() {
        assert!(!relay(&b"qemu-system-x86_64: warning: TCG doesn't support x\n"[..], |_| ()));
        assert!(!relay(&b"qemu-system-x86_64: terminating on signal 15 from pid 1\n"[..], |_| ()));
        assert!(relay(&b"qemu-system-x86_64: -drive: Could not open 'x'\n"[..], |_| ()));
    }
}
