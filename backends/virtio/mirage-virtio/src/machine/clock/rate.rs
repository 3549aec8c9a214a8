//! How fast the time stamp counter counts.

use core::arch::x86_64::__cpuid;

use super::hypervisor::Hypervisor;
use super::{bus, measure, pit};
use crate::machine::cpu::apic;

/// Its ticks a second: by the hypervisor, by the processor, or measured against the clock of the bus where that is known, else
/// against the timer of the PC.
pub(super) fn hertz() -> u64 {
    by_hypervisor().or_else(by_processor).or_else(measured).unwrap_or(PLAUSIBLE)
}

fn by_hypervisor() -> Option<u64> {
    Hypervisor::find()?.rates().map(|[counter, _]| u64::from(counter) * 1000)
}

/// Intel SDM volume 3 §19.7.3: leaf 0x15 gives the crystal and the ratio to it.
fn by_processor() -> Option<u64> {
    if __cpuid(0).eax < 0x15 {
        return None;
    }
    let found = __cpuid(0x15);
    ratio(found.ecx, found.ebx, found.eax)
}

fn ratio(crystal: u32, numerator: u32, denominator: u32) -> Option<u64> {
    let hertz = (u64::from(crystal) * u64::from(numerator)).checked_div(denominator.into())?;
    (hertz > 0).then_some(hertz)
}

fn measured() -> Option<u64> {
    if let Some(hertz) = bus::known_hertz() {
        return bus::counts(|| measure::against(apic::left, u32::MAX, hertz / apic::DIVISOR));
    }
    by_pit().or_else(|| bus::counts(|| measure::against(apic::left, u32::MAX, bus::USUAL_HERTZ / apic::DIVISOR)))
}

/// Measured until two results agree: where the host lets this processor stand for 55 ms, that timer is past its start unseen.
fn by_pit() -> Option<u64> {
    pit::start();
    let again = || measure::against(|| pit::left().into(), u16::MAX.into(), pit::HERTZ);
    agreed(again)
}

/// The first result that is within 1/256 of the one before, or the fifth.
fn agreed(measure: impl Fn() -> Option<u64>) -> Option<u64> {
    let mut last = measure()?;
    for _ in 0..4 {
        let next = measure()?;
        if next.abs_diff(last) <= last / 256 {
            return Some(next);
        }
        last = next;
    }
    Some(last)
}

/// For a machine without any clock: its time will be wrong, but pass.
const PLAUSIBLE: u64 = 2_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_no_other_agrees_with_is_dropped() {
        let results = core::cell::RefCell::new(vec![3_000_000_001, 3_000_000_000, 30_000_000_000]);
        assert_eq!(agreed(|| results.borrow_mut().pop()), Some(3_000_000_001));
        let results = core::cell::RefCell::new(vec![]);
        assert_eq!(agreed(|| results.borrow_mut().pop()), None);
    }

    #[test]
    fn the_ratio_to_the_crystal_gives_the_rate() {
        assert_eq!(ratio(24_000_000, 250, 2), Some(3_000_000_000));
        assert_eq!(ratio(0, 250, 2), None, "a processor may keep its crystal to itself");
        assert_eq!(ratio(24_000_000, 0, 0), None);
    }
}
