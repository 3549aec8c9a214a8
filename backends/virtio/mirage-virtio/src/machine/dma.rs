//! Memory that devices see.

use alloc::alloc::{alloc_zeroed, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::ptr::NonNull;

use super::memory;
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Memory for devices from the global allocator. What the program sees and what devices see have the same addresses.
#[derive(Clone, Copy, Debug)]
pub struct Dma;

impl Dma {
    /// `pages` whole pages.
    fn layout(pages: usize) -> Layout {
        let bytes = pages.checked_mul(PAGE_SIZE).and_then(|bytes| Layout::from_size_align(bytes, PAGE_SIZE).ok());
        let Some(layout) = bytes else { panic!("fewer pages than an address can count") };
        layout
    }
}

// SAFETY: memory is mapped at its physical addresses, so addresses need no translation, and the allocator gives away no
// memory twice.
unsafe impl Hal for Dma {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let layout = Self::layout(pages.max(1));
        // SAFETY: the layout has at least one page.
        let Some(memory) = NonNull::new(unsafe { alloc_zeroed(layout) }) else { handle_alloc_error(layout) };
        (memory.addr().get() as PhysAddr, memory)
    }

    unsafe fn dma_dealloc(_: PhysAddr, memory: NonNull<u8>, pages: usize) -> i32 {
        // SAFETY: the caller gives back what `dma_alloc` gave, with the same number of pages.
        unsafe { dealloc(memory.as_ptr(), Self::layout(pages.max(1))) };
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, bytes: usize) -> NonNull<u8> {
        let mapped = memory::map_device(address, bytes as u64);
        let address = usize::try_from(address).ok().and_then(core::num::NonZeroUsize::new);
        let (Some(address), Some(_)) = (address, mapped) else { panic!("such devices are left out") };
        NonNull::with_exposed_provenance(address)
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().expose_provenance().get() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_whole_and_empty_and_can_be_given_back() {
        let (address, memory) = Dma::dma_alloc(3, BufferDirection::Both);
        assert_eq!(address % PAGE_SIZE as u64, 0);
        // SAFETY: three pages were just allocated and zeroed.
        let bytes = unsafe { core::slice::from_raw_parts(memory.as_ptr(), 3 * PAGE_SIZE) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        // SAFETY: given back as it was taken, after the last use.
        assert_eq!(unsafe { Dma::dma_dealloc(address, memory, 3) }, 0);
    }
}
