//! The heap: what is left of memory.

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use talc::TalcCell;
use talc::source::Manual;

use crate::Exit;
use crate::target::Machine;
use crate::text::Line;

/// The heap of an image. It has one thread, and interrupts never allocate.
pub(crate) struct Heap {
    talc: TalcCell<Manual>,
    /// Bytes that were asked for and not given back. Atomic for the compiler's sake.
    used: AtomicUsize,
}

// SAFETY: an image has one processor and one thread, and no handler of interrupts allocates, so that nobody ever comes in
// between.
unsafe impl Sync for Heap {}

impl Heap {
    /// A heap without memory.
    pub(crate) const fn new() -> Self {
        Self { talc: TalcCell::new(Manual), used: AtomicUsize::new(0) }
    }

    /// Takes `memory` for the heap.
    ///
    /// # Safety
    /// Nobody else uses that memory, ever.
    pub(crate) unsafe fn claim(&self, memory: Range<usize>) {
        // SAFETY: by our own condition. A region that is too small is not taken, and the first allocation says so.
        let _ = unsafe { self.talc.claim(core::ptr::with_exposed_provenance_mut(memory.start), memory.len()) };
    }
}

impl Heap {
    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    fn count(&self, more: usize, less: usize) {
        self.used.store(self.used().wrapping_add(more).wrapping_sub(less), Relaxed);
    }
}

// SAFETY: every method is the one of `TalcCell`, whose conditions are the same.
unsafe impl GlobalAlloc for Heap {
    /// Never null: without memory an image cannot go on, and everybody who asks for some is smaller for not having to find
    /// that out.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's conditions.
        let memory = unsafe { self.talc.alloc(layout) };
        self.count(layout.size(), 0);
        if memory.is_null() { exhausted(layout.size()) } else { memory }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        self.count(0, layout.size());
        // SAFETY: the caller's conditions.
        unsafe { self.talc.dealloc(start, layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's conditions.
        let memory = unsafe { self.talc.realloc(start, layout, size) };
        self.count(size, layout.size());
        if memory.is_null() { exhausted(size) } else { memory }
    }
}

/// There are no `bytes` bytes left.
#[cold]
#[inline(never)]
pub(super) fn exhausted(bytes: usize) -> ! {
    let mut line = Line::new();
    line.put("out of memory: no ").number(bytes as u64, 1).put(" bytes are left of ");
    Machine::complain(line.number(super::memory() as u64, 1).as_str());
    Machine::exit(Exit::PANIC)
}
