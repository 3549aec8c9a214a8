//! Numbers and layouts of both architectures, wherever the tests run.

use core::mem::offset_of;

use super::{Info, aarch64, x86_64};

#[test]
fn events_are_packed_on_one_architecture_alone() {
    assert_eq!((size_of::<x86_64::EpollEvent>(), offset_of!(x86_64::EpollEvent, data)), (12, 4));
    assert_eq!((size_of::<aarch64::EpollEvent>(), offset_of!(aarch64::EpollEvent, data)), (16, 8));
}

/// Linux: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
#[test]
fn the_numbers_of_the_calls_are_the_kernels() {
    use {aarch64::number as arm, x86_64::number as intel};
    let intel = [intel::READ, intel::WRITE, intel::PREAD64, intel::PWRITE64, intel::CLOCK_GETTIME];
    assert_eq!(intel, [0, 1, 17, 18, 228]);
    let arm = [arm::READ, arm::WRITE, arm::PREAD64, arm::PWRITE64, arm::CLOCK_GETTIME];
    assert_eq!(arm, [63, 64, 67, 68, 113]);
    let [intel, arm] = [
        [x86_64::number::EXIT_GROUP, x86_64::number::EPOLL_PWAIT, x86_64::number::TIMERFD_SETTIME],
        [aarch64::number::EXIT_GROUP, aarch64::number::EPOLL_PWAIT, aarch64::number::TIMERFD_SETTIME],
    ];
    assert_eq!(intel, [231, 281, 286]);
    assert_eq!(arm, [94, 22, 86]);
}

#[test]
fn the_boot_information_has_the_tenders_layout() {
    assert_eq!(size_of::<Info>(), 40);
    let offsets = [
        offset_of!(Info, memory_size),
        offset_of!(Info, command_line),
        offset_of!(Info, manifest),
        offset_of!(Info, epoll),
        offset_of!(Info, timer),
    ];
    assert_eq!(offsets, [0, 16, 24, 32, 36]);
}
