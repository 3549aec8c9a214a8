//! Frames out by memory that the tender shares, where it offers that.
//!
//! A thread of the tender takes them from there, so a frame costs no way out of the machine while that thread is awake,
//! and the tender writes several at once. Only frames that go out: one that comes in would be waited for either way, and a
//! hypercall needs nobody to be woken first.

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::{Error, Handle};

/// What image and tender share: 49,280 bytes.
#[repr(C)]
struct Ring {
    /// Requests that the image has put in; it wraps. The image writes this line, the tender the next.
    put: AtomicU32,
    _answers_taken: AtomicU32,
    _rest_of_the_line: [u32; 14],
    /// Requests that the tender has done; never ahead of `put`.
    done: AtomicU32,
    _answers_put: AtomicU32,
    /// Not zero when the tender's thread sleeps, or is about to.
    asleep: AtomicU32,
    _rest_of_the_other_line: [u32; 13],
    requests: [UnsafeCell<Request>; REQUESTS],
    _answers: [[u32; 4]; REQUESTS],
}

#[repr(C)]
struct Request {
    operation: u32,
    handle: u32,
    bytes: *const u8,
    len: u32,
    number: u32,
    _reserved: u64,
}

const _: () = assert!(size_of::<Ring>() == 49_280 && core::mem::offset_of!(Ring, done) == 64);
const _: () = assert!(size_of::<Request>() == 32 && core::mem::offset_of!(Ring, requests) == 128);

/// Where frames lie until the tender has taken them.
struct Slots(UnsafeCell<[[u8; SLOT]; SLOTS]>);

// SAFETY: the machine has one processor, and `put` alone touches them, each while the tender does not: see there.
unsafe impl Sync for Slots {}

static SLOTS_OF_MACHINE: Slots = Slots(UnsafeCell::new([[0; SLOT]; SLOTS]));

/// Null where the tender offers none.
static RING: AtomicPtr<Ring> = AtomicPtr::new(ptr::null_mut());

/// Uses the ring at `address` from now on.
///
/// # Safety
/// A tender offers a ring there, for as long as the machine runs, and nothing else is there.
pub(super) unsafe fn offered(address: u64) {
    RING.store(ptr::with_exposed_provenance_mut(address as usize), Ordering::Relaxed);
}

fn ring() -> Option<&'static Ring> {
    // SAFETY: null, or what `offered` was told.
    unsafe { RING.load(Ordering::Relaxed).as_ref() }
}

/// Sends a frame; `None` when there is no ring, or the frame is too long for it: a hypercall does it then.
///
/// # Errors
/// [`Error::Again`] when the tender is behind, or must catch up first so that a long frame does not overtake.
pub(super) fn write(handle: Handle, frame: &[u8], kick: impl FnOnce()) -> Option<Result<(), Error>> {
    ring()?.put(&SLOTS_OF_MACHINE, handle, frame, kick)
}

/// Whether the tender has taken every frame.
pub(super) fn is_done() -> bool {
    ring().is_none_or(|ring| ring.waiting() == 0)
}

impl Ring {
    /// Requests that the tender has not done yet. One that has done more than there were is behind for ever: nothing is
    /// overwritten.
    fn waiting(&self) -> u32 {
        self.put.load(Ordering::Relaxed).wrapping_sub(self.done.load(Ordering::Acquire))
    }

    fn put(&self, slots: &Slots, handle: Handle, frame: &[u8], kick: impl FnOnce()) -> Option<Result<(), Error>> {
        let waiting = self.waiting();
        if frame.len() > SLOT {
            return (waiting != 0).then_some(Err(Error::Again));
        }
        if waiting >= SLOTS as u32 {
            return Some(Err(Error::Again));
        }
        let number = self.put.load(Ordering::Relaxed);
        // In bounds: a remainder.
        let place = slots.0.get().cast::<[u8; SLOT]>().wrapping_add(number as usize % SLOTS);
        // SAFETY: the frame fits, and it is not in the slots, which nobody is lent; fewer requests wait than there are
        // slots, so the tender has done with this one.
        unsafe { ptr::copy_nonoverlapping(frame.as_ptr(), place.cast(), frame.len()) };
        let request = Request {
            operation: NET_WRITE,
            handle: handle.index() as u32,
            bytes: ptr::with_exposed_provenance(place.expose_provenance()),
            len: frame.len() as u32,
            number,
            _reserved: 0,
        };
        let entry = self.requests.get(number as usize % REQUESTS)?;
        // SAFETY: the tender reads a request only once `put` is past it, and fewer wait than there are places.
        unsafe { entry.get().write(request) };
        // A full barrier: the tender says that it sleeps and looks once more, the image puts and then looks whether it
        // sleeps. One of them sees the other.
        self.put.swap(number.wrapping_add(1), Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) != 0 {
            kick();
        }
        Some(Ok(()))
    }
}

const NET_WRITE: u32 = 1;
const REQUESTS: usize = 1_024;
/// Frames that may wait. It divides the numbers that wrap.
const SLOTS: usize = 32;
/// Longest frame that goes by the ring.
const SLOT: usize = 2_048;

#[cfg(test)]
mod tests;
