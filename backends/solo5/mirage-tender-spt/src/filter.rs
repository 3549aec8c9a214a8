//! The system calls that a guest may make; any other ends the process.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::machine;
use crate::manifest::Attached;

const STDOUT: RawFd = 1;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filter for a guest with these devices: Solo5's allow-list for spt, and nothing else.
///
/// At most 63 devices, so it stays far below the kernel's 4096 instructions.
pub(crate) fn program(devices: &[Attached], epoll: RawFd, timer: RawFd) -> Result<BpfProgram, Error> {
    let mut rules = Rules::new();
    let mut allow = |call: i64, conditions: Vec<SeccompCondition>| -> Result<(), Error> {
        rules.entry(call).or_default().push(SeccompRule::new(conditions)?);
        Ok(())
    };
    allow(libc::SYS_write, vec![descriptor(STDOUT)?])?;
    for device in devices {
        match *device {
            Attached::Net { fd, .. } => {
                allow(libc::SYS_read, vec![descriptor(fd)?])?;
                allow(libc::SYS_write, vec![descriptor(fd)?])?;
            }
            Attached::Block { fd, capacity, block_size } => {
                let block = u64::from(block_size);
                for call in [libc::SYS_pread64, libc::SYS_pwrite64] {
                    let len = SeccompCondition::new(2, Len::Qword, Op::Eq, block)?;
                    // Unsigned: a negative offset is beyond every disk. A disk without one block has no offset.
                    let Some(last) = capacity.checked_sub(block) else { continue };
                    let offset = SeccompCondition::new(3, Len::Qword, Op::Le, last)?;
                    allow(call, vec![descriptor(fd)?, len, offset])?;
                }
            }
        }
    }
    for clock in [libc::CLOCK_REALTIME, libc::CLOCK_MONOTONIC] {
        allow(libc::SYS_clock_gettime, vec![number(clock)?])?;
    }
    allow(libc::SYS_epoll_pwait, vec![descriptor(epoll)?])?;
    allow(libc::SYS_timerfd_settime, vec![descriptor(timer)?])?;
    for (call, code) in machine::calls() {
        allow(call, vec![number(code)?])?;
    }
    // An empty list of rules: with any arguments.
    rules.insert(libc::SYS_exit_group, Vec::new());
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    Ok(filter.try_into()?)
}

/// The first argument is this number, an `int` for the kernel.
fn number(number: i32) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(0, Len::Dword, Op::Eq, u64::from(number.cast_unsigned()))?)
}

fn descriptor(fd: RawFd) -> Result<SeccompCondition, Error> {
    number(fd)
}
