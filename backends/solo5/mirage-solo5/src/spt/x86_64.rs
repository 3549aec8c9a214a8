//! System calls of Linux on x86-64.

/// The numbers of the calls that a tender allows.
pub(crate) mod number {
    pub(crate) const READ: usize = 0;
    pub(crate) const WRITE: usize = 1;
    pub(crate) const PREAD64: usize = 17;
    pub(crate) const PWRITE64: usize = 18;
    pub(crate) const CLOCK_GETTIME: usize = 228;
    pub(crate) const EXIT_GROUP: usize = 231;
    pub(crate) const EPOLL_PWAIT: usize = 281;
    pub(crate) const TIMERFD_SETTIME: usize = 286;
}

/// What epoll reports. Packed on this architecture alone.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub(crate) struct EpollEvent {
    pub(crate) events: u32,
    pub(crate) data: u64,
}

/// Calls the kernel.
///
/// # Safety
/// What the call with this number does with its arguments must be sound.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) unsafe fn call(number: usize, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result;
    // SAFETY: the instruction takes and changes these registers and no others; the rest is the caller's.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}
