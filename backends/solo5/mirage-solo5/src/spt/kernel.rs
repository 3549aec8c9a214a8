//! The system calls that a tender allows, each with the arguments that it allows.

#[cfg(target_arch = "aarch64")]
use super::aarch64::{EpollEvent, call, number};
#[cfg(target_arch = "x86_64")]
use super::x86_64::{EpollEvent, call, number};

use core::mem::MaybeUninit;

use super::Info;
use crate::Error;

pub(super) const STANDARD_OUTPUT: i32 = 1;
pub(super) const REALTIME: usize = 0;
pub(super) const MONOTONIC: usize = 1;

/// `struct timespec`.
#[derive(Debug)]
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanos: i64,
}

/// `struct itimerspec`.
#[derive(Debug)]
#[repr(C)]
struct TimerSpec {
    interval: Timespec,
    value: Timespec,
}

/// One of two clocks in nanoseconds.
#[inline]
pub(super) fn clock(clock: usize) -> u64 {
    let mut time = Timespec { seconds: 0, nanos: 0 };
    // SAFETY: the kernel writes one `timespec`.
    unsafe { call(number::CLOCK_GETTIME, [clock, (&raw mut time).expose_provenance(), 0, 0, 0]) };
    (time.seconds as u64).wrapping_mul(SECOND).wrapping_add(time.nanos as u64)
}

pub(super) fn write(descriptor: i32, bytes: &[u8]) -> Result<usize, Error> {
    let arguments = [descriptor as usize, bytes.as_ptr().expose_provenance(), bytes.len(), 0, 0];
    // SAFETY: the kernel reads `bytes`.
    restarted(|| unsafe { call(number::WRITE, arguments) })
}

pub(super) fn read(descriptor: i32, buffer: &mut [u8]) -> Result<usize, Error> {
    let arguments = [descriptor as usize, buffer.as_mut_ptr().expose_provenance(), buffer.len(), 0, 0];
    // SAFETY: the kernel writes into `buffer`.
    restarted(|| unsafe { call(number::READ, arguments) })
}

pub(super) fn read_at(descriptor: i32, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
    let arguments = [descriptor as usize, buffer.as_mut_ptr().expose_provenance(), buffer.len(), offset as usize, 0];
    // SAFETY: the kernel writes into `buffer`.
    restarted(|| unsafe { call(number::PREAD64, arguments) })
}

pub(super) fn write_at(descriptor: i32, offset: u64, data: &[u8]) -> Result<usize, Error> {
    let arguments = [descriptor as usize, data.as_ptr().expose_provenance(), data.len(), offset as usize, 0];
    // SAFETY: the kernel reads `data`.
    restarted(|| unsafe { call(number::PWRITE64, arguments) })
}

/// Does it again when a signal came in between, and tells the errors apart.
fn restarted(mut operation: impl FnMut() -> isize) -> Result<usize, Error> {
    loop {
        match operation() {
            INTERRUPTED => {}
            AGAIN => return Err(Error::Again),
            INVALID => return Err(Error::Invalid),
            result => return usize::try_from(result).map_err(|_| Error::Unspecified),
        }
    }
}

/// Lets the descriptor `timer` become ready at `deadline` on the monotonic clock, in nanoseconds, and not before.
pub(super) fn set_timer(timer: i32, deadline: u64) {
    // 292 years are for ever, and fit in the kernel's type.
    let deadline = deadline.min(i64::MAX as u64);
    // A time of zero would stop the timer.
    let value = Timespec { seconds: (deadline / SECOND) as i64, nanos: (deadline % SECOND) as i64 | 1 };
    let spec = TimerSpec { interval: Timespec { seconds: 0, nanos: 0 }, value };
    let arguments = [timer as usize, TIMER_ABSOLUTE, (&raw const spec).expose_provenance(), 0, 0];
    // SAFETY: the kernel reads one `itimerspec`; the last argument asks for no old one.
    unsafe { call(number::TIMERFD_SETTIME, arguments) };
}

/// Waits until something is ready, or only looks, and gives what epoll says of each descriptor that is ready to `each`.
/// `false` when it failed.
pub(super) fn wait(epoll: i32, wait: bool, mut each: impl FnMut(u64)) -> bool {
    let mut events = [const { MaybeUninit::<EpollEvent>::uninit() }; EVENTS];
    let timeout = if wait { -1_isize } else { 0 };
    let arguments = [epoll as usize, events.as_mut_ptr().expose_provenance(), EVENTS, timeout as usize, 0];
    // SAFETY: the kernel writes at most as many events; the last argument asks for no mask of signals, so that there
    // is no length of one either.
    let Ok(count) = restarted(|| unsafe { call(number::EPOLL_PWAIT, arguments) }) else {
        return false;
    };
    for event in events.iter().take(count) {
        // SAFETY: the kernel wrote the first `count`.
        each(unsafe { event.assume_init_ref() }.data);
    }
    true
}

/// Spends about a millisecond, or less when a device is ready.
pub(super) fn pause(info: Option<&Info>) {
    let Some(info) = info else { return };
    let mut event = MaybeUninit::<EpollEvent>::uninit();
    // SAFETY: the kernel writes at most one event, and there is no mask of signals.
    unsafe {
        let arguments = [info.epoll as usize, event.as_mut_ptr().expose_provenance(), 1, 1, 0];
        call(number::EPOLL_PWAIT, arguments);
    }
}

pub(super) fn exit(code: u8) -> ! {
    loop {
        // SAFETY: nothing is left that could become unsound.
        unsafe { call(number::EXIT_GROUP, [code.into(), 0, 0, 0, 0]) };
    }
}

/// One for each device and one for the timer.
const EVENTS: usize = 64;
const TIMER_ABSOLUTE: usize = 1;
const INTERRUPTED: isize = -4;
const AGAIN: isize = -11;
const INVALID: isize = -22;
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;
