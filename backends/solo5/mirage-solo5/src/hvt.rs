//! The target whose tender runs the image as a virtual machine with next to no devices.

mod faults;
mod hypercall;
mod port;
mod ring;
mod ticks;

use crate::boot;
use crate::{Abi, Boot, Devices, Error, Handle, ReadySet};

/// A virtual machine whose tender answers hypercalls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hvt;

/// What the tender hands to the entry point: 56 bytes.
///
/// Tenders before 0.11 hand over 40, and behind them lies the manifest, whose bytes say by chance that a ring is offered,
/// and by its empty first name that it is nowhere.
#[derive(Debug)]
#[repr(C)]
struct Info {
    memory_size: u64,
    /// Leaves out a segment of zeroed data alone: of no use.
    _image_end: u64,
    cycles_per_second: u64,
    command_line: *const u8,
    manifest: *const u8,
    offers: u32,
    _accepted: u32,
    ring: u64,
}

impl Info {
    /// What it says of the start.
    ///
    /// # Safety
    /// It is the tender's.
    unsafe fn boot(&self) -> Boot {
        // SAFETY: what the tender made lives as long as the machine, and nobody changes it.
        let (devices, line) = unsafe { (Devices::from_manifest(self.manifest), boot::command_line(self.command_line)) };
        Boot::new(line, self.memory_size as usize, devices)
    }

    /// Where the ring is, if the tender offers one: it begins where the image's memory ends.
    fn ring(&self) -> Option<u64> {
        (self.offers & RING != 0 && self.ring != 0 && self.ring == self.memory_size).then_some(self.ring)
    }
}

/// The bit of [`Info::offers`] for a ring.
const RING: u32 = 1;
/// How long the tender may take for the last frames, in nanoseconds.
const LAST_FRAMES: u64 = 10_000_000;

impl Abi for Hvt {
    unsafe fn start(info: *const u8) -> Boot {
        // SAFETY: by contract the machine has just started, so this is the processor's owner, and nothing is lost.
        unsafe { faults::catch() };
        // SAFETY: by contract it is what the tender made and lives as long as the machine.
        let info = unsafe { &*info.cast::<Info>() };
        ticks::set_frequency(info.cycles_per_second);
        if let Some(address) = info.ring() {
            // SAFETY: the tender offers it there, behind all that is the image's.
            unsafe { ring::offered(address) };
        }
        // SAFETY: it is the tender's.
        unsafe { info.boot() }
    }

    #[inline]
    fn monotonic() -> u64 {
        ticks::nanos()
    }

    fn wall() -> Option<u64> {
        Some(hypercall::wall_time(port::call))
    }

    fn write(bytes: &[u8]) {
        hypercall::puts(bytes, port::call);
    }

    fn poll(deadline: u64) -> ReadySet {
        let timeout = if deadline == 0 { 0 } else { deadline.saturating_sub(Self::monotonic()) };
        hypercall::poll(timeout, port::call)
    }

    fn net_write(handle: Handle, frame: &[u8]) -> Result<(), Error> {
        match ring::write(handle, frame, port::kick) {
            Some(result) => result,
            None => hypercall::net_write(handle, frame, port::call),
        }
    }

    fn net_read(handle: Handle, buffer: &mut [u8]) -> Result<usize, Error> {
        hypercall::net_read(handle, buffer, port::call)
    }

    fn block_read(handle: Handle, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        hypercall::block_read(handle, offset, buffer, port::call)
    }

    fn block_write(handle: Handle, offset: u64, data: &[u8]) -> Result<(), Error> {
        hypercall::block_write(handle, offset, data, port::call)
    }

    fn exit(code: u8) -> ! {
        // The tender drops what its thread has not taken.
        let until = ticks::nanos() + LAST_FRAMES;
        while !ring::is_done() && ticks::nanos() < until {
            core::hint::spin_loop();
        }
        loop {
            hypercall::halt(code, port::call);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use core::mem::offset_of;

    use super::*;

    #[test]
    fn the_boot_information_has_the_tenders_layout() {
        let offsets = [
            offset_of!(Info, memory_size),
            offset_of!(Info, cycles_per_second),
            offset_of!(Info, command_line),
            offset_of!(Info, manifest),
            offset_of!(Info, offers),
            offset_of!(Info, ring),
        ];
        assert_eq!((offsets, size_of::<Info>()), ([0, 16, 24, 32, 40, 48], 56));
    }

    #[test]
    fn the_start_is_read_from_the_tenders_bytes() {
        // A manifest with the reserved entry alone.
        let mut manifest = [0_u64; 14];
        manifest[0] = 1 | 1 << 32;
        let manifest = Box::leak(Box::new(manifest)).as_ptr().expose_provenance() as u64;
        let line = c"--port=80 -v".as_ptr().expose_provenance() as u64;
        let mut words = [0x20_0000, 0x10_5000, 2_500_000_000, line, manifest, 0, 0];
        // SAFETY: the words have the shape of a tender's.
        let info = |words: &[u64; 7]| unsafe { (&raw const *words).cast::<Info>().read() };
        // SAFETY: what they point to is never freed.
        let boot = unsafe { info(&words).boot() };
        assert_eq!(boot.command_line(), Ok("--port=80 -v"));
        assert_eq!((boot.memory_end(), boot.devices().len()), (0x20_0000, 1));
        assert_eq!(info(&words).ring(), None);
        words[5..].copy_from_slice(&[1, 0x20_0000]);
        assert_eq!(info(&words).ring(), Some(0x20_0000));
        // An old tender: behind the 40 bytes lies the manifest, with its version, its length and an empty name.
        words[5..].copy_from_slice(&[1 | 2 << 32, 0]);
        assert_eq!(info(&words).ring(), None);
    }
}
