//! The heap: what is left of memory.

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Range;

use talc::TalcCell;
use talc::source::Manual;

/// The heap of an image. It has one thread, and interrupts never allocate.
pub(crate) struct Heap(TalcCell<Manual>);

// SAFETY: an image has one processor and one thread, and no handler of interrupts allocates, so that nobody ever comes in
// between.
unsafe impl Sync for Heap {}

impl Heap {
    /// A heap without memory.
    pub(crate) const EMPTY: Self = Self(TalcCell::new(Manual));

    /// Takes `memory` for the heap.
    ///
    /// # Safety
    /// Nobody else uses that memory, ever.
    pub(crate) unsafe fn claim(&self, memory: Range<usize>) {
        // SAFETY: by our own condition. A region that is too small is not taken, and the first allocation says so.
        let _ = unsafe { self.0.claim(core::ptr::with_exposed_provenance_mut(memory.start), memory.len()) };
    }
}

// SAFETY: every method is the one of `TalcCell`, whose conditions are the same.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's conditions.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's conditions.
        unsafe { self.0.dealloc(start, layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's conditions.
        unsafe { self.0.realloc(start, layout, size) }
    }
}
