//! The clock that never goes back.

use super::kernel;

#[cfg(target_arch = "x86_64")]
use super::estimate::Estimate;

#[cfg(target_arch = "x86_64")]
static ESTIMATE: Estimate = Estimate::new();

/// The host's time, asked for or estimated.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn now() -> u64 {
    // SAFETY: every x86-64 has the instruction, and no tender forbids it.
    let cycles = || unsafe { core::arch::x86_64::_rdtsc() };
    ESTIMATE.now(cycles, || kernel::clock(kernel::MONOTONIC))
}

/// Time has passed that nobody counted.
#[cfg(target_arch = "x86_64")]
pub(super) fn waited() {
    ESTIMATE.forget();
}

/// The host's time.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn now() -> u64 {
    kernel::clock(kernel::MONOTONIC)
}

/// Nothing is estimated.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn waited() {}
