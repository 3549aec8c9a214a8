//! Addresses for devices whose registers the firmware has put nowhere.

use core::ops::Range;

use virtio_drivers::transport::pci::bus::{ConfigurationAccess, DeviceFunction};

/// Gives the memory of `function` addresses in `free`, and takes them from there, if it has none at all. Memory for which there is
/// no room stays without.
///
/// Firmware for fast starts (QEMU's `qboot.rom`) leaves this to systems. As long as its memory is nowhere, the device must not
/// be told to answer, so this comes before that.
pub(super) fn place(access: &mut impl ConfigurationAccess, function: DeviceFunction, free: &mut Range<u64>) {
    let mut bar = 0;
    while bar < BARS {
        let register = FIRST + 4 * bar;
        let value = access.read_word(function, register);
        let is_wide = value & KIND == MEMORY_OF_64_BITS && bar + 1 < BARS;
        if value & KIND == MEMORY_OF_32_BITS || is_wide {
            if value & !FLAGS != 0 || is_wide && access.read_word(function, register + 4) != 0 {
                return;
            }
            access.write_word(function, register, u32::MAX);
            let size = u64::from((!(access.read_word(function, register) & !FLAGS)).wrapping_add(1));
            let address = if size == 0 { 0 } else { take(free, size) };
            access.write_word(function, register, address as u32);
        }
        bar += if is_wide { 2 } else { 1 };
    }
}

/// An address that is a multiple of `size`, a power of two, with as many bytes; 0 without room.
fn take(free: &mut Range<u64>, size: u64) -> u64 {
    let start = free.start.next_multiple_of(size);
    if start + size > free.end {
        return 0;
    }
    free.start = start + size;
    start
}

const BARS: u8 = 6;
const FIRST: u8 = 0x10;
const FLAGS: u32 = 0xf;
const KIND: u32 = 0b111;
const MEMORY_OF_32_BITS: u32 = 0b000;
const MEMORY_OF_64_BITS: u32 = 0b100;

#[cfg(test)]
mod tests {
    use super::*;

    /// Registers whose low bits cannot be written: by `sizes`, 0 for what is not there.
    #[derive(Clone)]
    struct Fake {
        bars: [u32; 6],
        sizes: [u32; 6],
    }

    impl ConfigurationAccess for Fake {
        fn read_word(&self, _: DeviceFunction, register: u8) -> u32 {
            self.bars[usize::from(register - FIRST) / 4]
        }

        fn write_word(&mut self, _: DeviceFunction, register: u8, data: u32) {
            let index = usize::from(register - FIRST) / 4;
            let changeable = if self.sizes[index] == 0 { 0 } else { !(self.sizes[index] - 1) };
            self.bars[index] = self.bars[index] & !changeable | data & changeable;
        }

        unsafe fn unsafe_clone(&self) -> Self {
            self.clone()
        }
    }

    const FUNCTION: DeviceFunction = DeviceFunction { bus: 0, device: 1, function: 0 };

    fn placed(bars: [u32; 6], sizes: [u32; 6], free: Range<u64>) -> ([u32; 6], Range<u64>) {
        let (mut fake, mut free) = (Fake { bars, sizes }, free);
        place(&mut fake, FUNCTION, &mut free);
        (fake.bars, free)
    }

    #[test]
    fn memory_gets_addresses_that_are_multiples_of_its_size_and_ports_get_none() {
        // As virtio-net has them: ports, 4 KiB for messages, nothing, nothing, 16 KiB of 64 bits.
        let (bars, free) = placed([1, 0, 0, 0, 0xc, 0], [0x20, 0x1000, 0, 0, 0x4000, 1], 0xe000_0000..0xf000_0000);
        assert_eq!(bars, [1, 0xe000_0000, 0, 0, 0xe000_400c, 0]);
        assert_eq!(free, 0xe000_8000..0xf000_0000);
    }

    #[test]
    fn what_the_firmware_has_placed_stays() {
        let bars = [0xc041, 0xfebf_1000, 0, 0, 0xc, 0x38];
        assert_eq!(placed(bars, [0; 6], 0xe000_0000..0xf000_0000), (bars, 0xe000_0000..0xf000_0000));
        let high = [0xc, 0x38, 0, 0, 0, 0];
        assert_eq!(placed(high, [0x1000, 1, 0, 0, 0, 0], 0xe000_0000..0xf000_0000).0, high);
    }

    #[test]
    fn what_does_not_fit_stays_nowhere() {
        let (bars, free) = placed([0; 6], [0x1000, 0x10000, 0x1000, 0, 0, 0], 0xe000_0000..0xe000_8000);
        assert_eq!(bars, [0xe000_0000, 0, 0xe000_1000, 0, 0, 0]);
        assert_eq!(free, 0xe000_2000..0xe000_8000);
    }
}
