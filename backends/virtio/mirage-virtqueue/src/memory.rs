//! Memory that a device may read and write.

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Whole pages of memory, contiguous for the device and for us, zeroed in the beginning.
pub struct Memory<H: Hal> {
    start: NonNull<u8>,
    address: PhysAddr,
    /// Invariant: `pages * PAGE_SIZE` bytes from `start` on are ours until `Drop`.
    pages: usize,
    hal: PhantomData<H>,
}

impl<H: Hal> Memory<H> {
    /// At least `bytes` bytes; `None` where there is no such piece of memory.
    pub fn new(bytes: usize) -> Option<Self> {
        let pages = bytes.div_ceil(PAGE_SIZE).max(1);
        let (address, start) = H::dma_alloc(pages, BufferDirection::Both);
        (address != 0).then_some(Self { start, address, pages, hal: PhantomData })
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.pages * PAGE_SIZE
    }

    /// Where the device finds the byte at `at`.
    pub fn address(&self, at: usize) -> PhysAddr {
        self.address + at as PhysAddr
    }

    /// `len` bytes from `at` on; `None` past the end.
    ///
    /// # Safety
    /// The device writes none of these bytes as long as they are lent.
    #[inline]
    pub unsafe fn bytes(&self, at: usize, len: usize) -> Option<&[u8]> {
        let start = self.pointer(at, len)?;
        // SAFETY: the range is within our memory, which was zeroed once and is therefore initialised; nobody has a
        // mutable reference, for that needs `&mut self`; the caller vouches for the device.
        Some(unsafe { core::slice::from_raw_parts(start, len) })
    }

    /// `len` bytes from `at` on, to write; `None` past the end.
    ///
    /// # Safety
    /// The device neither reads nor writes any of these bytes as long as they are lent.
    #[inline]
    pub unsafe fn bytes_mut(&mut self, at: usize, len: usize) -> Option<&mut [u8]> {
        let start = self.pointer(at, len)?;
        // SAFETY: as in `bytes`; `&mut self` makes us the only ones.
        Some(unsafe { core::slice::from_raw_parts_mut(start, len) })
    }

    /// Where it begins for us.
    #[inline]
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Where `len` bytes from `at` on lie, if they are within.
    #[inline]
    fn pointer(&self, at: usize, len: usize) -> Option<*mut u8> {
        let within = at.checked_add(len)? <= self.size();
        // SAFETY: `at` is within the allocation or one past its end.
        within.then(|| unsafe { self.start.as_ptr().add(at) })
    }
}

impl<H: Hal> Drop for Memory<H> {
    fn drop(&mut self) {
        // SAFETY: these are the values that `dma_alloc` gave and took; nothing refers to the memory any more. A failure
        // leaves it allocated, which harms nobody.
        let _leaked = unsafe { H::dma_dealloc(self.address, self.start, self.pages) };
    }
}

impl<H: Hal> fmt::Debug for Memory<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
