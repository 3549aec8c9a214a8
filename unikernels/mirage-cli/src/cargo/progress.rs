//! How far a build is: a bar on a terminal, one line elsewhere, nothing if there is nothing to do.

use std::io::IsTerminal;
use std::sync::Once;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Job, crates};
use crate::output;

/// The progress of one build.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    begun: Once,
    announcement: String,
}

impl Progress {
    pub(super) fn new(job: &Job<'_>) -> Self {
        let announcement = format!("building {} for {}", job.application.name(), job.target);
        let bar = std::io::stderr().is_terminal().then(|| {
            // A guess: build scripts are compiled beside their crates.
            let steps = crates::count(job).unwrap_or_default();
            let bar = ProgressBar::new(steps as u64);
            if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(announcement.clone());
            bar
        });
        Self { bar, begun: Once::new(), announcement }
    }

    /// Whether a bar is drawn, around which others must not write.
    pub(super) fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// One more crate is there.
    pub(super) fn step(&self, name: &str, fresh: bool) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(name.to_owned());
                if bar.length().is_some_and(|len| bar.position() < len) {
                    bar.inc(1);
                }
            }
            None if fresh => {}
            None => self.begun.call_once(|| output::note(&self.announcement)),
        }
    }

    /// A line of the compiler's.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// It is over.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
