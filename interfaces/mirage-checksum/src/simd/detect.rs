//! Whether this processor, and what runs on it, knows AVX2. There is no `is_x86_feature_detected` without `std`.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::sync::atomic::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const ABSENT: u8 = 1;
const PRESENT: u8 = 2;

/// What was found. Every thread that looks finds the same, so a race does no harm.
static AVX2: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether AVX2 may be used. Asks the processor once: CPUID leaves a virtual machine and takes microseconds.
#[inline]
pub(super) fn avx2() -> bool {
    if cfg!(target_feature = "avx2") {
        return true;
    }
    match AVX2.load(Ordering::Relaxed) {
        UNKNOWN => ask_once(),
        answer => answer == PRESENT,
    }
}

#[cold]
fn ask_once() -> bool {
    // Miri has no CPUID; it runs the portable and the SSE2 twin.
    let present = !cfg!(miri) && ask();
    AVX2.store(if present { PRESENT } else { ABSENT }, Ordering::Relaxed);
    present
}

/// Intel SDM volume 1 §14.3 and §14.7.1: OSXSAVE, then XCR0, then AVX and AVX2.
fn ask() -> bool {
    const LEAF_1_ECX_OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
    const LEAF_7_EBX_AVX2: u32 = 1 << 5;
    const XCR0_SSE_AND_AVX: u64 = 1 << 1 | 1 << 2;

    if __cpuid(0).eax < 7 || __cpuid(1).ecx & LEAF_1_ECX_OSXSAVE_AND_AVX != LEAF_1_ECX_OSXSAVE_AND_AVX {
        return false;
    }
    // SAFETY: XGETBV exists and is allowed because CPUID says OSXSAVE, which is set only where the processor has
    // XSAVE and the system has enabled it (CR4.OSXSAVE). Register 0 always exists then.
    let enabled = unsafe { _xgetbv(0) };
    enabled & XCR0_SSE_AND_AVX == XCR0_SSE_AND_AVX && __cpuid_count(7, 0).ebx & LEAF_7_EBX_AVX2 != 0
}
