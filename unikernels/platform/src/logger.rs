//! The `log` backend: levels by target, lines and bytes bounded, to the console.

mod filter;
mod rate;

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use log::{Level, Log, Metadata, Record};
use mirage_clock::Instant;

use crate::text::Line;
pub use filter::{Filter, FilterError};
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
        let first = INSTALLED.keep(self).is_some_and(|kept| log::set_logger(kept).is_ok());
        if first {
            log::set_max_level(level);
        }
        first
    }
}

/// Where the image's log is kept: an image that never writes a line needs no heap for it.
static INSTALLED: Place = Place { is_taken: AtomicBool::new(false), logger: UnsafeCell::new(MaybeUninit::uninit()) };

/// A place for one log, for good.
struct Place {
    is_taken: AtomicBool,
    logger: UnsafeCell<MaybeUninit<Logger>>,
}

// SAFETY: `logger` is only touched by `keep`, of which one call does so; what that lends out may be shared.
unsafe impl Sync for Place where &'static Logger: Send {}

impl Place {
    /// Keeps `logger`; `None` when there is one already.
    fn keep(&'static self, logger: Logger) -> Option<&'static Logger> {
        if self.is_taken.swap(true, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: only the call that found it free comes here, so nobody else reads or writes it.
        Some(unsafe { (*self.logger.get()).write(logger) })
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
        let Some(missing) = self.rate.admit(now) else { return };
        if missing > 0 {
            let mut line = Line::new();
            stamp(&mut line, now, Level::Warn).put("log: ").number(missing, 1).put(" lines were not written");
            (self.write)(line.as_str());
        }
        let mut line = Line::new();
        stamp(&mut line, now, record.level()).put(record.target()).put(": ").format(*record.args());
        (self.write)(line.as_str());
    }

    fn flush(&self) {}
}

impl core::fmt::Debug for Logger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Logger").field("filter", &self.filter).finish_non_exhaustive()
    }
}

/// Begins a line: `12.345678 WARN  `.
fn stamp(line: &mut Line, now: Instant, level: Level) -> &mut Line {
    let level = match level {
        Level::Error => " ERROR ",
        Level::Warn => " WARN  ",
        Level::Info => " INFO  ",
        Level::Debug => " DEBUG ",
        Level::Trace => " TRACE ",
    };
    let micros = now.as_micros();
    line.number(micros / 1_000_000, 1).put(".").number(micros % 1_000_000, 6).put(level)
}
