//! The clock: the processor's cycles, in nanoseconds.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};

/// Nanoseconds of a cycle, in 2⁻³²; 0 until the frequency is known.
static SCALE: AtomicU64 = AtomicU64::new(0);

pub(super) fn set_frequency(cycles_per_second: u64) {
    SCALE.store(scale(cycles_per_second), Ordering::Relaxed);
}

#[inline]
pub(super) fn nanos() -> u64 {
    // SAFETY: every x86-64 has the instruction, and the tender does not forbid it.
    let cycles = unsafe { _rdtsc() };
    scaled(cycles, SCALE.load(Ordering::Relaxed))
}

/// A frequency of zero counts as 1 GHz: a clock that is wrong is better than one that stands still.
fn scale(cycles_per_second: u64) -> u64 {
    (SECOND << 32).checked_div(cycles_per_second).unwrap_or(1 << 32)
}

fn scaled(cycles: u64, scale: u64) -> u64 {
    ((u128::from(cycles) * u128::from(scale)) >> 32) as u64
}

/// In nanoseconds. 2³² times as much is below 2⁶³.
const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_cycles_is_a_second_whatever_the_frequency() {
        for frequency in [1_000_000, 999_999_937, 1_000_000_000, 2_494_137_984, 5_700_000_001] {
            let error = scaled(frequency, scale(frequency)).abs_diff(SECOND);
            assert!(error <= 2, "{error} ns in a second of {frequency} Hz");
        }
    }

    #[test]
    fn thirty_years_of_cycles_do_not_overflow() {
        let (frequency, seconds) = (3_000_000_000, 30 * 365 * 86_400);
        let off = scaled(frequency * seconds, scale(frequency)).abs_diff(SECOND * seconds);
        assert!(off / seconds < 2, "{off} ns");
    }

    #[test]
    fn a_frequency_of_zero_still_moves() {
        assert_eq!(scaled(5, scale(0)), 5);
    }

    #[test]
    fn the_clock_moves_once_the_frequency_is_known() {
        set_frequency(1_000_000_000);
        let before = nanos();
        while nanos() == before {}
        assert!(nanos() > before);
    }
}
