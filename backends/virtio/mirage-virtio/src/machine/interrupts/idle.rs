//! Sleeping until there is something to do.

use core::sync::atomic::Ordering;

use mirage_clock::{Duration, Instant, Monotonic};

use super::lines::{self, PENDING};
use super::timer;
use crate::MonotonicClock;
use crate::machine::cpu::instruction;

/// Sleeps until a device rings, until `until` has come, or not at all when `idle` says that there is work; then wakes whoever waits
/// for a device that rang.
///
/// `idle` is asked with interrupts off, after which only they can bring work: nothing that rings is missed. It must not
/// take long. May return early for no reason.
///
/// Devices that cannot interrupt are looked at each millisecond.
pub fn wait(until: Option<Instant>, idle: &dyn Fn() -> bool) {
    let until = if lines::is_polling() { Some(next_poll(until)) } else { until };
    instruction::forbid_interrupts();
    if PENDING.load(Ordering::Relaxed) == 0 && idle() && timer::arm(until) {
        instruction::sleep();
    } else {
        instruction::allow_interrupts();
    }
    lines::ring();
}

/// Wakes whoever waits for a device that rang, and does not sleep: for a program that has work all the time.
pub fn ring() {
    lines::ring();
}

/// When to look at devices that cannot interrupt, if not before.
fn next_poll(until: Option<Instant>) -> Instant {
    let next = MonotonicClock.now() + Duration::from_millis(1);
    until.map_or(next, |until| until.min(next))
}
