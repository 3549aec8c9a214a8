//! Counting tests over everything that runs them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::command;

/// How many tests passed, failed and were skipped so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    /// Runs a `cargo test` command, shows what it prints and counts its closing lines.
    pub(crate) fn cargo_test(&mut self, command: &mut Command) -> Result<(), String> {
        let line = command::show(command);
        eprintln!("\n$ {line}");
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(|error| format!("`{line}` did not start: {error}"))?;
        let failed_before = self.failed;
        if let Some(stdout) = child.stdout.take() {
            for printed in BufReader::new(stdout).lines().map_while(Result::ok) {
                self.count(&printed);
                println!("{printed}");
            }
        }
        let status = child.wait().map_err(|error| format!("`{line}`: {error}"))?;
        // A test that does not compile or dies has no closing line: it counts as one that failed.
        if !status.success() && self.failed == failed_before {
            self.failed += 1;
        }
        Ok(())
    }

    /// Runs a test of ours, prints how it ended and counts it.
    pub(crate) fn run(&mut self, kind: &str, name: &str, test: impl FnOnce() -> Result<(), String>) {
        let started = std::time::Instant::now();
        let outcome = test();
        let seconds = started.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("{kind} test {name} ... ok ({seconds:.1} s)");
            }
            Err(reason) => {
                self.failed += 1;
                println!("{kind} test {name} ... FAILED ({seconds:.1} s): {reason}");
            }
        }
    }

    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result:").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let Some(count) = words.next().and_then(|word| word.parse::<usize>().ok()) else { continue };
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed") => self.failed += count,
                Some("ignored") => self.skipped += count,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closing_line_is_counted() {
        let mut tally = Tally::default();
        tally.count("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.1s");
        tally.count("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.count("a test says: 7 passed; 9 failed");
        assert_eq!((tally.passed, tally.failed, tally.skipped), (13, 2, 1));
    }
}
