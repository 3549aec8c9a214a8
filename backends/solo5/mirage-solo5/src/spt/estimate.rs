//! The host's clock without asking the host each time.
//!
//! A process asks its kernel for the time without a system call, by code that the kernel lends it; an image behind a
//! tender's filter is lent none, and a network stack asks a dozen times for each frame. So the time is asked for once,
//! and for less than a millisecond after that the cycles of the processor say how much has passed since. They are never
//! trusted for longer, so that a counter that jumps or changes its rate, as when the host was suspended, does not matter.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What is known of clock and cycles. All zeroes at first, so that the image need not carry it.
///
/// Atomic for the compiler's sake: there is one thread.
#[derive(Debug)]
pub(super) struct Estimate {
    /// Whether the last answer may be built on.
    is_fresh: AtomicBool,
    /// The cycles right after the host's last answer, and the answer.
    cycles: AtomicU64,
    nanos: AtomicU64,
    /// Nanoseconds of a cycle, in 2⁻³²; 0 when it is not known.
    scale: AtomicU64,
    /// From where on the scale is measured; 0 nanoseconds before the first answer.
    anchor_cycles: AtomicU64,
    anchor_nanos: AtomicU64,
    /// What was last told: no time is told that is before it.
    last: AtomicU64,
}

impl Estimate {
    pub(super) const fn new() -> Self {
        Self {
            is_fresh: AtomicBool::new(false),
            cycles: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            scale: AtomicU64::new(0),
            anchor_cycles: AtomicU64::new(0),
            anchor_nanos: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// The time in nanoseconds: `cycles` counts, `ask` asks the host.
    #[inline]
    pub(super) fn now(&self, cycles: impl Fn() -> u64, ask: impl FnOnce() -> u64) -> u64 {
        let before = cycles();
        let passed = before.wrapping_sub(self.cycles.load(Relaxed));
        let scale = self.scale.load(Relaxed);
        let now = if self.is_fresh.load(Relaxed) && passed < TRUSTED && scale != 0 {
            // No overflow: below 2²⁰ cycles of less than two nanoseconds each, see `measure`.
            self.nanos.load(Relaxed) + ((passed * scale) >> 32)
        } else {
            let answer = ask();
            self.learn(before, answer, cycles());
            answer
        };
        let now = now.max(self.last.load(Relaxed));
        self.last.store(now, Relaxed);
        now
    }

    /// Whoever waited wants to know exactly when it ended.
    pub(super) fn forget(&self) {
        self.is_fresh.store(false, Relaxed);
    }

    /// The host's answer came between these two counts.
    fn learn(&self, before: u64, answer: u64, after: u64) {
        let is_prompt = after.wrapping_sub(before) < PROMPT;
        self.is_fresh.store(is_prompt, Relaxed);
        if !is_prompt {
            return;
        }
        // The later count: what is built on it lags behind rather than runs ahead.
        self.cycles.store(after, Relaxed);
        self.nanos.store(answer, Relaxed);
        let passed = answer.wrapping_sub(self.anchor_nanos.load(Relaxed));
        let least = if self.scale.load(Relaxed) == 0 { SHORT } else { LONG };
        if passed < least {
            return;
        }
        if passed < MOST {
            self.scale.store(measure(passed, after.wrapping_sub(self.anchor_cycles.load(Relaxed))), Relaxed);
        }
        self.anchor_nanos.store(answer, Relaxed);
        self.anchor_cycles.store(after, Relaxed);
    }
}

/// Nanoseconds of a cycle, in 2⁻³²; 0 where that is no processor's, so that the estimate is never ahead by more than the
/// two milliseconds of [`TRUSTED`] slowest cycles.
fn measure(nanos: u64, cycles: u64) -> u64 {
    let scale = (nanos << 32).checked_div(cycles).unwrap_or(0);
    if scale < SLOWEST { scale } else { 0 }
}

/// For how many cycles an answer is built on: half a millisecond at 2 GHz.
const TRUSTED: u64 = 1 << 20;
/// More cycles than a question takes, unless something came in between.
const PROMPT: u64 = 1 << 14;
/// Over how many nanoseconds the scale is measured for the first time, and later.
const SHORT: u64 = 1_000_000;
const LONG: u64 = 10_000_000;
/// Two nanoseconds: 500 MHz.
const SLOWEST: u64 = 2 << 32;
/// Above, it is not measured; the shift would overflow.
const MOST: u64 = 1 << 32;

#[cfg(test)]
mod tests;
