//! The segments: what little of them 64 bits have left.

use core::cell::UnsafeCell;

use crate::machine::single::Single;

/// The selector of 64-bit code.
pub(crate) const CODE: u16 = 8;
/// The selector of data.
pub(crate) const DATA: u16 = 16;

/// The table of segments: nothing, code, data, and two entries for the task segment.
pub(crate) type Segments = [u64; 5];

// SAFETY: only the one processor uses it.
pub(crate) static SEGMENTS: Single<UnsafeCell<Segments>> =
    unsafe { Single::new(UnsafeCell::new([0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0, 0])) };

/// What `lgdt` and `lidt` take.
#[derive(Debug)]
#[repr(C, packed)]
pub(crate) struct Pointer {
    pub(crate) limit: u16,
    pub(crate) address: *const (),
}

/// Where the segments are.
// SAFETY: only the one processor uses it, and it never changes.
pub(crate) static POINTER: Single<Pointer> = unsafe {
    Single::new(Pointer { limit: (size_of::<Segments>() - 1) as u16, address: (&raw const SEGMENTS).cast() })
};
