//! System calls of Linux on 64-bit Arm.

/// The numbers of the calls that a tender allows.
pub(crate) mod number {
    pub(crate) const READ: usize = 63;
    pub(crate) const WRITE: usize = 64;
    pub(crate) const PREAD64: usize = 67;
    pub(crate) const PWRITE64: usize = 68;
    pub(crate) const CLOCK_GETTIME: usize = 113;
    pub(crate) const EXIT_GROUP: usize = 94;
    pub(crate) const EPOLL_PWAIT: usize = 22;
    pub(crate) const TIMERFD_SETTIME: usize = 86;
}

/// What epoll reports. With the natural alignment: four bytes in between.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct EpollEvent {
    pub(crate) events: u32,
    pub(crate) data: u64,
}

/// Calls the kernel.
///
/// # Safety
/// What the call with this number does with its arguments must be sound.
#[cfg(target_arch = "aarch64")]
#[inline]
pub(crate) unsafe fn call(number: usize, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result;
    // SAFETY: the instruction takes and changes these registers and no others; the rest is the caller's.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            options(nostack),
        );
    }
    result
}
