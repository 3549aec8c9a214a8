//! The hypercalls: what each takes and gives, in the layout that tenders know.
//!
//! `call` is the way out of the machine. It gets the number of the hypercall and where its argument is; when it returns,
//! the tender has written its answer there.

use crate::{Error, Handle, ReadySet};

const WALL_TIME: u16 = 1;
const PUTS: u16 = 2;
const POLL: u16 = 3;
const BLOCK_WRITE: u16 = 4;
const BLOCK_READ: u16 = 5;
const NET_WRITE: u16 = 6;
const NET_READ: u16 = 7;
const HALT: u16 = 8;

/// Nanoseconds since 1970.
pub(super) fn wall_time(call: impl FnOnce(u16, *mut u8)) -> u64 {
    #[repr(C)]
    struct Argument {
        nanos: u64,
    }
    let mut argument = Argument { nanos: 0 };
    call(WALL_TIME, (&raw mut argument).cast());
    argument.nanos
}

/// Writes to the console.
pub(super) fn puts(bytes: &[u8], call: impl FnOnce(u16, *mut u8)) {
    #[repr(C)]
    struct Argument {
        bytes: *const u8,
        len: u64,
    }
    let mut argument = Argument { bytes: bytes.as_ptr(), len: bytes.len() as u64 };
    call(PUTS, (&raw mut argument).cast());
}

/// Waits until a network has a frame or `timeout` nanoseconds are over.
pub(super) fn poll(timeout: u64, call: impl FnOnce(u16, *mut u8)) -> ReadySet {
    #[repr(C)]
    struct Argument {
        timeout: u64,
        ready: u64,
        result: i32,
    }
    // 292 years are for ever, and fit in the host's type.
    let mut argument = Argument { timeout: timeout.min(i64::MAX as u64), ready: 0, result: UNANSWERED };
    call(POLL, (&raw mut argument).cast());
    // `result` is the number of devices: the set says it too.
    ReadySet::from_bits(argument.ready)
}

/// The argument of all hypercalls that move frames.
#[repr(C)]
struct Frame {
    handle: u64,
    bytes: *mut u8,
    len: u64,
    result: i32,
}

/// Sends a frame.
pub(super) fn net_write(handle: Handle, frame: &[u8], call: impl FnOnce(u16, *mut u8)) -> Result<(), Error> {
    let mut argument = Frame {
        handle: handle.index() as u64,
        // The tender does not write there.
        bytes: frame.as_ptr().cast_mut(),
        len: frame.len() as u64,
        result: UNANSWERED,
    };
    call(NET_WRITE, (&raw mut argument).cast());
    outcome(argument.result)
}

/// Receives a frame and says how long it is.
pub(super) fn net_read(handle: Handle, buffer: &mut [u8], call: impl FnOnce(u16, *mut u8)) -> Result<usize, Error> {
    let mut argument = Frame {
        handle: handle.index() as u64,
        bytes: buffer.as_mut_ptr(),
        len: buffer.len() as u64,
        result: UNANSWERED,
    };
    call(NET_READ, (&raw mut argument).cast());
    outcome(argument.result).map(|()| argument.len as usize)
}

/// The argument of all hypercalls that move blocks.
#[repr(C)]
struct Block {
    handle: u64,
    offset: u64,
    bytes: *mut u8,
    len: u64,
    result: i32,
}

/// Writes a block.
pub(super) fn block_write(
    handle: Handle,
    offset: u64,
    data: &[u8],
    call: impl FnOnce(u16, *mut u8),
) -> Result<(), Error> {
    let mut argument = Block {
        handle: handle.index() as u64,
        offset,
        // The tender does not write there.
        bytes: data.as_ptr().cast_mut(),
        len: data.len() as u64,
        result: UNANSWERED,
    };
    call(BLOCK_WRITE, (&raw mut argument).cast());
    outcome(argument.result)
}

/// Reads a block.
pub(super) fn block_read(
    handle: Handle,
    offset: u64,
    buffer: &mut [u8],
    call: impl FnOnce(u16, *mut u8),
) -> Result<(), Error> {
    let mut argument = Block {
        handle: handle.index() as u64,
        offset,
        bytes: buffer.as_mut_ptr(),
        len: buffer.len() as u64,
        result: UNANSWERED,
    };
    call(BLOCK_READ, (&raw mut argument).cast());
    outcome(argument.result)?;
    if argument.len == buffer.len() as u64 { Ok(()) } else { Err(Error::Unspecified) }
}

/// Ends the machine. The tender never comes back.
pub(super) fn halt(code: u8, call: impl FnOnce(u16, *mut u8)) {
    #[repr(C)]
    struct Argument {
        /// For a debugger; there is none.
        cookie: u64,
        status: i32,
    }
    let mut argument = Argument { cookie: 0, status: code.into() };
    call(HALT, (&raw mut argument).cast());
}

fn outcome(result: i32) -> Result<(), Error> {
    match result {
        0 => Ok(()),
        1 => Err(Error::Again),
        2 => Err(Error::Invalid),
        _ => Err(Error::Unspecified),
    }
}

/// No tender answers so.
const UNANSWERED: i32 = -1;

#[cfg(test)]
mod tests;
