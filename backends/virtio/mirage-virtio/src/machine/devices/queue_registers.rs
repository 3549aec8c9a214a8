//! Where a device without a bus is told of its queues. The library does it, too, and checks again what the queue is made of:
//! with the texts of what may be wrong that is two kilobytes.

use virtio_drivers::{PAGE_SIZE, PhysAddr};

use crate::machine::cpu::mmio::Mmio;

/// The registers for it (virtio 1.2 §4.2.2, §4.2.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueRegisters(usize);

impl QueueRegisters {
    /// Those of the device whose registers begin at `address`.
    ///
    /// # Safety
    /// They must be there, mapped, for ever.
    pub(super) const unsafe fn new(address: usize) -> Self {
        Self(address)
    }

    /// Says where the three parts of a queue are. They lie as a device from before version 1 (`legacy`) wants them, if it is
    /// one: behind each other, from the start of a page below 16 TiB on.
    pub(super) fn set(self, legacy: bool, queue: u16, size: u32, parts: [PhysAddr; 3]) {
        self.write(SELECT, queue.into());
        self.write(SIZE, size);
        if legacy {
            self.write(ALIGNMENT, PAGE_SIZE as u32);
            self.write(PAGE, (parts[0] / PAGE_SIZE as u64) as u32);
            return;
        }
        for (offset, part) in PARTS.into_iter().zip(parts) {
            self.write(offset, part as u32);
            self.write(offset + 4, (part >> 32) as u32);
        }
        self.write(READY, 1);
    }

    fn write(self, offset: usize, value: u32) {
        // SAFETY: these are registers, as `new` was promised. The device touches what the driver put into the queue: what it
        // lends to the device.
        unsafe { Mmio::new(self.0 + offset) }.write(value);
    }
}

const SELECT: usize = 0x30;
const SIZE: usize = 0x38;
const ALIGNMENT: usize = 0x3c;
const PAGE: usize = 0x40;
const READY: usize = 0x44;
/// Descriptors, what the driver writes, what the device writes: the lower half of each address, the upper behind it.
const PARTS: [usize; 3] = [0x80, 0x90, 0xa0];

#[cfg(test)]
mod tests {
    use super::*;

    fn set(legacy: bool) -> Vec<u32> {
        let registers = vec![0_u32; 64];
        // SAFETY: these are as good as registers.
        let places = unsafe { QueueRegisters::new(registers.as_ptr().expose_provenance()) };
        places.set(legacy, 1, 64, [0x1_0002_3000, 0x1_0002_3400, 0x1_0002_4000]);
        registers
    }

    #[test]
    fn a_device_of_version_1_is_told_three_places() {
        let registers = set(false);
        let at = |offset: usize| registers[offset / 4];
        assert_eq!([at(0x30), at(0x38), at(0x44)], [1, 64, 1]);
        assert_eq!([at(0x80), at(0x84), at(0x90), at(0x94)], [0x2_3000, 1, 0x2_3400, 1]);
        assert_eq!([at(0xa0), at(0xa4), at(0x3c), at(0x40)], [0x2_4000, 1, 0, 0]);
    }

    #[test]
    fn an_older_one_is_told_a_page() {
        let registers = set(true);
        let at = |offset: usize| registers[offset / 4];
        assert_eq!([at(0x30), at(0x38), at(0x3c), at(0x40)], [1, 64, 4096, 0x10_0023]);
        assert_eq!([at(0x44), at(0x80), at(0x90), at(0xa0)], [0; 4]);
    }
}
