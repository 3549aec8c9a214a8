//! The first line that a process prints.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// From the start of `command` to the end of its first line, or, when it prints none, of its output.
pub(super) fn first(command: &mut Command) -> Result<Duration, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{name} did not start: {error}"))?;
    let mut stdout = child.stdout.take().ok_or("it has a standard output")?;
    let mut line = Vec::new();
    let mut part = [0; 256];
    let ended = loop {
        match stdout.read(&mut part).map_err(|error| format!("{name}: {error}"))? {
            0 => break true,
            count => line.extend_from_slice(&part[..count]),
        }
        if line.contains(&b'\n') {
            break false;
        }
    };
    let took = started.elapsed();
    if ended {
        let status = child.wait().map_err(|error| format!("{name}: {error}"))?;
        return if status.success() { Ok(took) } else { Err(format!("{name} ended without a word: {status}")) };
    }
    // It may have ended by itself.
    drop(child.kill());
    drop(child.wait());
    match line.starts_with(b"Hello World!") {
        true => Ok(took),
        false => Err(format!("{name} printed {}", String::from_utf8_lossy(&line))),
    }
}
