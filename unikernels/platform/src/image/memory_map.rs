//! Where things lie in the image's memory.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::heap::Heap;

#[cfg_attr(not(test), global_allocator)]
static HEAP: Heap = Heap::EMPTY;

/// Bytes of the heap.
static MEMORY: AtomicUsize = AtomicUsize::new(0);
/// The first address after the stack, which grows down from there.
static STACK_TOP: AtomicUsize = AtomicUsize::new(0);

/// Makes `heap` the heap of the image, whose stack ends at `stack_top`.
///
/// # Safety
/// Nobody else uses that memory, ever.
pub(crate) unsafe fn claim(heap: Range<usize>, stack_top: usize) {
    MEMORY.store(heap.len(), Ordering::Relaxed);
    STACK_TOP.store(stack_top, Ordering::Relaxed);
    // SAFETY: the caller's condition.
    unsafe { HEAP.claim(heap) };
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
