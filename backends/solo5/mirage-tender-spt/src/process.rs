//! The process sheds what the guest shall not have.

use std::io;
use std::os::fd::RawFd;

/// Whether nothing else runs in this process: the filter is for one thread, and the others would share the guest's memory.
pub(crate) fn is_alone() -> io::Result<bool> {
    Ok(std::fs::read_dir("/proc/self/task")?.take(2).count() == 1)
}

/// Checks that the kernel filters system calls and can end the process for a wrong one (Linux 4.14).
pub(crate) fn check_filters() -> io::Result<()> {
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    let flags: libc::c_uint = 0;
    // SAFETY: this operation of seccomp(2) reads one `u32` and changes nothing.
    let done = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, flags, &raw const action) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Signals do what they do in a new process: a handler of ours would run on the guest's stack and could not return.
pub(crate) fn forget_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default action runs no code of this process. Signals that cannot be changed are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: a set of signals is plain bytes; sigemptyset makes it a valid one, and sigprocmask only reads it.
    unsafe {
        let mut none = core::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, core::ptr::null_mut());
    }
}

/// Closes every descriptor but those in `kept`, in any order (Linux 5.9).
///
/// # Errors
/// The kernel's, before anything was closed.
///
/// # Safety
/// No code that runs afterwards uses any other descriptor.
pub(crate) unsafe fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().map(|fd| fd.cast_unsigned()).collect();
    kept.sort_unstable();
    let mut first = 0;
    for fd in kept.into_iter().chain([u32::MAX]) {
        if let Some(last) = fd.checked_sub(1)
            && first <= last
        {
            let flags: libc::c_uint = 0;
            // SAFETY: the caller vouches that nobody uses what is closed.
            let done = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
            if done != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        first = fd.saturating_add(1);
    }
    Ok(())
}
