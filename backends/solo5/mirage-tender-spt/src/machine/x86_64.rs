//! The jump into the guest.

use core::arch::asm;

use object::elf::{EM_X86_64, Machine};

pub(crate) const ELF_MACHINE: Machine = EM_X86_64;
pub(crate) const SUPPORTED: bool = true;

/// `arch_prctl(2)`: sets the base of FS, where a guest keeps its own thread pointer.
const ARCH_SET_FS: i32 = 0x1002;

/// System calls of this processor that a guest needs, each with its first argument.
pub(crate) fn calls() -> impl Iterator<Item = (i64, i32)> {
    core::iter::once((libc::SYS_arch_prctl, ARCH_SET_FS))
}

/// Continues at `entry` with `boot` as first argument, as if called with the stack below `memory_end`. The other registers
/// are zero, so that they give away no address of this process.
///
/// # Safety
/// There is code at `entry` that never returns and that needs nothing of this process but memory that is mapped at and
/// below `memory_end`. Nothing of this process runs any more.
pub(crate) unsafe fn enter(entry: usize, boot: usize, memory_end: usize) -> ! {
    // SAFETY: the caller vouches for the code at `entry`; nothing returns here, so no register needs to be kept. A word
    // below the end of memory is where a call would have left the stack pointer of a 16-byte aligned frame.
    unsafe {
        asm!(
            "mov rsp, rdx",
            "sub rsp, 8",
            "xor eax, eax",
            "xor ebx, ebx",
            "xor ecx, ecx",
            "xor edx, edx",
            "xor ebp, ebp",
            "xor r8d, r8d",
            "xor r9d, r9d",
            "xor r10d, r10d",
            "xor r11d, r11d",
            "xor r12d, r12d",
            "xor r13d, r13d",
            "xor r14d, r14d",
            "xor r15d, r15d",
            "cld",
            "jmp rsi",
            in("rdi") boot,
            in("rsi") entry,
            in("rdx") memory_end,
            options(noreturn),
        )
    }
}
