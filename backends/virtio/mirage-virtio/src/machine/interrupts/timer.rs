//! The alarm clock.

use mirage_clock::Instant;

use super::lines::{FIRST_VECTOR, TIMER};
use crate::machine::clock::{self, Alarm};
use crate::machine::cpu::apic;

/// Makes an interrupt come at `until`, or soon after; none for `None`. `false` when the time has already come.
///
/// An interrupt may also come before: the counter may be too small to wait for long.
pub(super) fn arm(until: Option<Instant>) -> bool {
    let Some(until) = until else { return true };
    let Some(alarm) = clock::alarm(until, VECTOR) else { return false };
    match alarm {
        Alarm::Deadline(value) => {
            // SAFETY: the clock only gives deadlines to a timer that knows them.
            unsafe { apic::set_deadline(value) };
        }
        Alarm::Count(count) => apic::start(count),
    }
    true
}

const VECTOR: u8 = FIRST_VECTOR + TIMER;
