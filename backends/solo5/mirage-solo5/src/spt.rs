//! The target whose tender runs the image as a process that may do next to nothing.
//!
//! The image calls the kernel of the host directly; a filter, set before its first instruction, kills it at every call
//! but those below, and at those with other arguments.

#[cfg_attr(not(target_arch = "aarch64"), allow(dead_code, reason = "looked at by tests"))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod estimate;
mod kernel;
mod monotonic;
#[cfg(test)]
mod tests;
mod timer;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "looked at by tests"))]
mod x86_64;

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::boot;
use crate::entry::{BLOCK, Entry, NET};
use crate::{Abi, Boot, Devices, Error, Handle, ReadySet};

/// A process of Linux behind a filter of system calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spt;

/// What the tender hands to the entry point: 40 bytes.
#[derive(Debug)]
#[repr(C)]
struct Info {
    memory_size: u64,
    /// Leaves out a segment of zeroed data alone: of no use.
    _image_end: u64,
    command_line: *const u8,
    manifest: *const u8,
    epoll: i32,
    timer: i32,
}

/// Null until the start.
static INFO: AtomicPtr<Info> = AtomicPtr::new(ptr::null_mut());

fn info() -> Option<&'static Info> {
    // SAFETY: null, or what `start` was given: by its contract the tender's, which nobody changes.
    unsafe { INFO.load(Ordering::Relaxed).as_ref() }
}

/// What the tender says of the device.
fn device(handle: Handle, kind: u32) -> Result<&'static Entry, Error> {
    let info = info().ok_or(Error::Invalid)?;
    // SAFETY: the tender's manifest, which nobody changes.
    unsafe { Devices::from_manifest(info.manifest) }.entry(handle, kind).ok_or(Error::Invalid)
}

impl Abi for Spt {
    unsafe fn start(info: *const u8) -> Boot {
        let info = info.cast::<Info>();
        INFO.store(info.cast_mut(), Ordering::Relaxed);
        // SAFETY: by contract it is what the tender made, which points to a command line and a manifest and lives as
        // long as the machine.
        unsafe {
            let info = &*info;
            let devices = Devices::from_manifest(info.manifest);
            Boot::new(boot::command_line(info.command_line), info.memory_size as usize, devices)
        }
    }

    #[inline]
    fn monotonic() -> u64 {
        monotonic::now()
    }

    fn wall() -> Option<u64> {
        Some(kernel::clock(kernel::REALTIME))
    }

    fn write(mut bytes: &[u8]) {
        let mut tries = 0;
        while !bytes.is_empty() {
            match kernel::write(kernel::STANDARD_OUTPUT, bytes) {
                Ok(written) => bytes = bytes.get(written.max(1)..).unwrap_or_default(),
                // A pipe that does not block and is full: the host gets a moment, but not for ever.
                Err(Error::Again) if tries < CONSOLE_TRIES => {
                    tries += 1;
                    kernel::pause(info());
                }
                Err(_) => return,
            }
        }
    }

    fn poll(deadline: u64) -> ReadySet {
        let ready = info().map_or(ReadySet::EMPTY, |info| timer::poll(info.epoll, info.timer, deadline));
        monotonic::waited();
        ready
    }

    fn net_write(handle: Handle, frame: &[u8]) -> Result<(), Error> {
        let written = kernel::write(device(handle, NET)?.descriptor(), frame)?;
        if written == frame.len() { Ok(()) } else { Err(Error::Unspecified) }
    }

    fn net_read(handle: Handle, buffer: &mut [u8]) -> Result<usize, Error> {
        match kernel::read(device(handle, NET)?.descriptor(), buffer)? {
            // There are no empty frames: the other end is gone.
            0 => Err(Error::Unspecified),
            len => Ok(len),
        }
    }

    fn block_read(handle: Handle, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        let device = device(handle, BLOCK)?;
        check_block(device, offset, buffer.len())?;
        let read = kernel::read_at(device.descriptor(), offset, buffer)?;
        if read == buffer.len() { Ok(()) } else { Err(Error::Unspecified) }
    }

    fn block_write(handle: Handle, offset: u64, data: &[u8]) -> Result<(), Error> {
        let device = device(handle, BLOCK)?;
        check_block(device, offset, data.len())?;
        let written = kernel::write_at(device.descriptor(), offset, data)?;
        if written == data.len() { Ok(()) } else { Err(Error::Unspecified) }
    }

    fn exit(code: u8) -> ! {
        kernel::exit(code)
    }
}

/// The tender's filter kills an image that asks for anything but one whole block of the device.
fn check_block(device: &Entry, offset: u64, len: usize) -> Result<(), Error> {
    let size = u64::from(device.block_size());
    let last = device.capacity().checked_sub(size).ok_or(Error::Invalid)?;
    let fits = size != 0 && len as u64 == size && offset.is_multiple_of(size) && offset <= last;
    if fits { Ok(()) } else { Err(Error::Invalid) }
}

const CONSOLE_TRIES: u32 = 100;
