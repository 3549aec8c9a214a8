//! Where the three parts of a split ring lie (Virtual I/O Device 1.2 §2.7).

use virtio_drivers::PAGE_SIZE;

/// Bytes of a descriptor: address, length, flags, next.
pub(crate) const DESCRIPTOR: usize = 16;
/// The other side may write.
pub(crate) const WRITE: u16 = 2;
/// The chain goes on at `next`.
pub(crate) const NEXT: u16 = 1;

/// A descriptor as the device reads it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Descriptor {
    pub(crate) address: u64,
    pub(crate) len: u32,
    pub(crate) flags: u16,
    pub(crate) next: u16,
}

/// An entry of the used ring as the device writes it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct UsedEntry {
    pub(crate) id: u32,
    pub(crate) len: u32,
}

/// Where the parts of a ring of `size` descriptors lie, in bytes from its start. Descriptors lie at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// `flags: u16, idx: u16, ring: [u16; size], used_event: u16`
    pub(crate) available: usize,
    /// `flags: u16, idx: u16, ring: [{id: u32, len: u32}; size], avail_event: u16`
    pub(crate) used: usize,
    /// Length of the whole.
    pub(crate) end: usize,
}

impl Layout {
    /// Devices before version 1 want the used ring on a page of its own (§2.7.2).
    pub(crate) const fn new(size: u16, legacy: bool) -> Self {
        let size = size as usize;
        let available = DESCRIPTOR * size;
        let align = if legacy { PAGE_SIZE } else { 4 };
        let used = (available + 2 * (3 + size)).next_multiple_of(align);
        Self { available, used, end: used + 6 + 8 * size }
    }

    /// The place in the available ring of `slot`.
    pub(crate) const fn available_slot(self, slot: u16) -> usize {
        self.available + 4 + 2 * slot as usize
    }

    /// The place in the used ring of `slot`.
    pub(crate) const fn used_slot(self, slot: u16) -> usize {
        self.used + 4 + 8 * slot as usize
    }

    /// Where we say at which used entry we want an interrupt: right behind the available ring.
    pub(crate) const fn used_event(self) -> usize {
        self.available_slot(0) + 2 * (self.available / DESCRIPTOR)
    }

    /// Where the device says at which available entry it wants a notification.
    pub(crate) const fn available_event(self) -> usize {
        self.end - 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_where_the_standard_puts_them() {
        let modern = Layout::new(4, false);
        assert_eq!(modern, Layout { available: 64, used: 80, end: 118 });
        assert_eq!((modern.used_event(), modern.available_event()), (76, 116));
        let legacy = Layout::new(256, true);
        assert_eq!(legacy, Layout { available: 4096, used: 8192, end: 8192 + 6 + 2048 });
        assert_eq!(legacy.used_event(), 4096 + 4 + 512);
    }
}
