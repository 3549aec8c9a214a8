//! The heap: what is left of memory.

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use talc::TalcCell;
use talc::source::Manual;

use crate::Exit;
use crate::target::Machine;
use crate::text::Line;

/// The heap of an image. It has one thread, and interrupts never allocate.
pub(crate) struct Heap {
    talc: TalcCell<Manual>,
    /// The end of what `talc` has; 0 when it has nothing.
    end: AtomicUsize,
    /// Memory that nobody has touched yet: from here to `rest_end`. Given to `talc` when that has no more.
    rest: AtomicUsize,
    rest_end: AtomicUsize,
    /// Bytes that were asked for and not given back. Atomic for the compiler's sake.
    used: AtomicUsize,
}

// SAFETY: an image has one processor and one thread, and no handler of interrupts allocates, so that nobody ever comes in
// between.
unsafe impl Sync for Heap {}

impl Heap {
    /// A heap without memory.
    pub(crate) const fn new() -> Self {
        Self {
            talc: TalcCell::new(Manual),
            end: AtomicUsize::new(0),
            rest: AtomicUsize::new(0),
            rest_end: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
        }
    }

    /// Takes `memory` for the heap.
    ///
    /// # Safety
    /// Nobody else uses that memory, ever.
    pub(crate) unsafe fn claim(&self, memory: Range<usize>) {
        self.rest.store(memory.start, Relaxed);
        self.rest_end.store(memory.end, Relaxed);
    }

    /// Cuts memory off the end, for good. Nobody has touched it since the machine began.
    pub(super) fn cut(&self, layout: Layout) -> Option<*mut u8> {
        let end = self.rest_end.load(Relaxed);
        let start = end.checked_sub(layout.size())? & !(layout.align() - 1);
        if start < self.rest.load(Relaxed) {
            return None;
        }
        self.rest_end.store(start, Relaxed);
        self.count(end - start, 0);
        Some(core::ptr::with_exposed_provenance_mut(start))
    }

    /// Gives the allocator a quarter of the rest, so that the others can still be cut, or all there is from the second time
    /// on; `false` when that is nothing.
    #[inline(never)]
    fn grow(&self) -> bool {
        let (start, rest_end, old) = (self.rest.load(Relaxed), self.rest_end.load(Relaxed), self.end.load(Relaxed));
        let whole = rest_end - start;
        let end = if old == 0 && whole > WHOLE { start + whole / 4 } else { rest_end };
        if start == end {
            return false;
        }
        self.rest.store(end, Relaxed);
        let from = core::ptr::with_exposed_provenance_mut::<u8>(start);
        // SAFETY: this is memory that was claimed and never given away; what the allocator has ends where it begins.
        let new = unsafe {
            match NonNull::new(core::ptr::with_exposed_provenance_mut::<u8>(old)) {
                Some(old) => Some(self.talc.extend(old, from.wrapping_add(end - start))),
                // A region that is too small is not taken.
                None => self.talc.claim(from, end - start),
            }
        };
        self.end.store(new.map_or(0, |new| new.addr().get()), Relaxed);
        true
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
        let mut memory = unsafe { self.talc.alloc(layout) };
        while memory.is_null() && self.grow() {
            // SAFETY: as above.
            memory = unsafe { self.talc.alloc(layout) };
        }
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
        let mut memory = unsafe { self.talc.realloc(start, layout, size) };
        while memory.is_null() && self.grow() {
            // SAFETY: as above; what could not be done was not begun.
            memory = unsafe { self.talc.realloc(start, layout, size) };
        }
        self.count(size, layout.size());
        if memory.is_null() { exhausted(size) } else { memory }
    }
}

/// A heap that is not worth being cut, in bytes.
const WHOLE: usize = 64 * 1024;

/// There are no `bytes` bytes left.
#[cold]
#[inline(never)]
pub(super) fn exhausted(bytes: usize) -> ! {
    let mut line = Line::new();
    line.put("out of memory: no ").number(bytes as u64, 1).put(" bytes are left of ");
    Machine::complain(line.number(super::memory() as u64, 1).as_str());
    Machine::exit(Exit::PANIC)
}
