//! The `log` backend: levels by target, lines and bytes bounded, to the console.

mod filter;
mod line;
mod rate;

use alloc::boxed::Box;

use log::{Log, Metadata, Record};
use mirage_clock::Instant;

pub use filter::{Filter, FilterError};
pub(crate) use line::Line;
pub use rate::Rate;

/// A log that writes to the console.
///
/// A line is cut at 512 bytes and made on the stack; of the lines of one second only so many are written, the others are
/// counted and reported with the next second's first. So a stranger who makes the image log cannot make it do
/// little else.
pub struct Logger {
    filter: Filter,
    rate: Rate,
    clock: fn() -> Instant,
    write: fn(&str),
}

impl Logger {
    /// A log of what `filter` lets through, at most `lines_per_second`, in the time of `clock`; `write` writes one line
    /// to the console.
    pub fn new(filter: Filter, lines_per_second: u32, clock: fn() -> Instant, write: fn(&str)) -> Self {
        Self { filter, rate: Rate::new(lines_per_second), clock, write }
    }

    /// Makes this the log of the image, for good. Says whether it was the first to try.
    pub fn install(self) -> bool {
        let level = self.filter.most();
        let first = log::set_logger(Box::leak(Box::new(self))).is_ok();
        if first {
            log::set_max_level(level);
        }
        first
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.filter.level(metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let now = (self.clock)();
        match self.rate.admit(now) {
            None => {}
            Some(0) => (self.write)(Line::of(now, record).as_str()),
            Some(missing) => {
                (self.write)(Line::missing(now, missing).as_str());
                (self.write)(Line::of(now, record).as_str());
            }
        }
    }

    fn flush(&self) {}
}

impl core::fmt::Debug for Logger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Logger").field("filter", &self.filter).finish_non_exhaustive()
    }
}
