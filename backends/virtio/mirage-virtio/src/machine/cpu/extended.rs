//! The wide registers (AVX), for programs that look for them.

use core::arch::asm;
use core::arch::x86_64::__cpuid;

/// Turns the AVX registers on where the processor has them; SSE is on since the first instructions.
pub(crate) fn enable() {
    let features = __cpuid(1).ecx;
    if features & XSAVE == 0 {
        return;
    }
    let state = X87 | SSE | if features & AVX == 0 { 0 } else { YMM };
    // SAFETY: the processor has XSAVE, and with it this bit of CR4 and the register XCR0; AVX's bit is set only if there is AVX.
    unsafe {
        asm!(
            "mov {scratch}, cr4",
            "or {scratch}, {osxsave}",
            "mov cr4, {scratch}",
            "xsetbv",
            scratch = out(reg) _,
            osxsave = const 1 << 18,
            in("ecx") 0,
            in("eax") state,
            in("edx") 0,
            options(nomem, nostack),
        );
    }
}

const XSAVE: u32 = 1 << 26;
const AVX: u32 = 1 << 28;
const X87: u32 = 1;
const SSE: u32 = 2;
const YMM: u32 = 4;
