//! Where things lie in the image's memory.

use alloc::alloc::alloc;
use core::alloc::Layout;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::heap::{Heap, exhausted};

#[cfg_attr(not(test), global_allocator)]
static HEAP: Heap = Heap::new();

/// Bytes of the heap.
static MEMORY: AtomicUsize = AtomicUsize::new(0);
/// The first address after the stack, which grows down from there.
static STACK_TOP: AtomicUsize = AtomicUsize::new(0);

/// Makes `heap` the heap of the image, whose stack ends at `stack_top`, but for a copy of `line` at its start, one byte
/// longer.
///
/// # Safety
/// Nobody else uses that memory, ever. `heap` begins at a multiple of 16.
pub(crate) unsafe fn claim(heap: Range<usize>, stack_top: usize, line: &[u8]) -> &'static mut [u8] {
    STACK_TOP.store(stack_top, Ordering::Relaxed);
    let len = line.len() + 1;
    let start = heap.start.saturating_add(len | 15).saturating_add(1);
    if start > heap.end {
        exhausted(len);
    }
    MEMORY.store(heap.end - start, Ordering::Relaxed);
    let copy = core::ptr::with_exposed_provenance_mut::<u8>(heap.start);
    // SAFETY: the caller's condition: the memory up to `start` is nobody else's, and that is more than `len` bytes. All
    // of it is written before it is lent, and the heap begins behind it.
    unsafe {
        copy.copy_from_nonoverlapping(line.as_ptr(), line.len());
        copy.add(line.len()).write(0);
        HEAP.claim(start..heap.end);
        core::slice::from_raw_parts_mut(copy, len)
    }
}

/// Memory for `layout`, for good: where it can be, such as nobody has touched since the machine began; then `true`.
pub(super) fn cut(layout: Layout) -> (*mut u8, bool) {
    match HEAP.cut(layout) {
        Some(memory) => (memory, true),
        // SAFETY: who asks for a table asks for some bytes.
        None => (unsafe { alloc(layout) }, false),
    }
}

/// Bytes of the heap that nobody uses now.
pub(crate) fn free_memory() -> usize {
    memory().saturating_sub(HEAP.used())
}

/// Bytes of the heap, used or not.
pub(crate) fn memory() -> usize {
    MEMORY.load(Ordering::Relaxed)
}

/// The first address after the stack.
pub(crate) fn stack_top() -> usize {
    STACK_TOP.load(Ordering::Relaxed)
}

/// The first address after the image.
#[cfg(any(feature = "solo5-spt", feature = "solo5-hvt"))]
pub(crate) fn end() -> usize {
    unsafe extern "C" {
        static __end: u8;
    }
    (&raw const __end).addr()
}

/// Where the linker puts the end of the stack, where that is its business.
#[cfg(feature = "virtio")]
pub(crate) fn stack_end() -> usize {
    unsafe extern "C" {
        static __stack_top: u8;
    }
    (&raw const __stack_top).addr()
}
