//! How fast the timer of the processor's interrupt controller counts.

use core::arch::x86_64::__cpuid;

use super::hypervisor::{Hypervisor, Kind};
use super::source;
use crate::machine::cpu::apic;

/// What hypervisors give it unless told otherwise: a tick a nanosecond.
pub(super) const USUAL_HERTZ: u64 = 1_000_000_000;

/// The clock of the bus in ticks a second, where it need not be measured.
pub(super) fn known_hertz() -> Option<u64> {
    if let Some(hypervisor) = Hypervisor::find() {
        if let Some([_, bus]) = hypervisor.rates() {
            return Some(u64::from(bus) * 1000);
        }
        // Neither lets it depend on the hardware.
        if matches!(hypervisor.kind, Kind::Kvm | Kind::Tcg) {
            return Some(USUAL_HERTZ);
        }
    }
    // Where the crystal is known, it is the clock of the bus (Intel SDM volume 3 §11.5.4).
    let crystal = if __cpuid(0).eax < 0x15 { 0 } else { __cpuid(0x15).ecx };
    (crystal > 0).then_some(crystal.into())
}

/// The clock of the bus in ticks a second, if need be measured against the time, which takes a millisecond.
pub(super) fn hertz() -> u64 {
    known_hertz().or_else(|| counts(measured)).unwrap_or(USUAL_HERTZ)
}

/// Does `work` while the timer counts down, without an interrupt.
pub(super) fn counts<R>(work: impl FnOnce() -> R) -> R {
    apic::count_silently();
    apic::start(u32::MAX);
    let result = work();
    apic::start(0);
    result
}

fn measured() -> Option<u64> {
    let (start, before) = (source().now(), apic::left());
    loop {
        let passed = source().now().saturating_sub(start);
        if passed >= 1_000_000 {
            let ticks = u64::from(before.wrapping_sub(apic::left()));
            return Some(ticks * apic::DIVISOR * 1_000_000_000 / passed).filter(|hertz| *hertz > 0);
        }
    }
}
