//! The configuration of a device, with memory whose size nobody asks it for.

use core::cell::Cell;

use virtio_drivers::transport::pci::bus::{ConfigurationAccess, DeviceFunction};

/// Configuration through `A` in which the memory of a device has any size that is wanted.
///
/// [`PciTransport::new`](virtio_drivers::transport::pci::PciTransport::new) asks for the size of memory four times. A device is asked by
/// moving its memory away and back, for which a virtual machine takes milliseconds each time. All that comes of the answer is
/// whether the registers lie inside, and the same device that would give it says where they lie.
#[derive(Debug)]
pub(super) struct AnySize<A> {
    access: A,
    /// The register that was written last, when that was to ask for a size.
    asked: Cell<Option<u8>>,
}

impl<A> AnySize<A> {
    pub(super) fn new(access: A) -> Self {
        Self { access, asked: Cell::new(None) }
    }
}

impl<A: ConfigurationAccess> ConfigurationAccess for AnySize<A> {
    fn read_word(&self, function: DeviceFunction, register: u8) -> u32 {
        let value = self.access.read_word(function, register);
        match self.asked.get() {
            Some(asked) if asked == register => SIZE_MASK | value & FLAGS,
            _ => value,
        }
    }

    fn write_word(&mut self, function: DeviceFunction, register: u8, data: u32) {
        match register {
            // Nothing moves, so nothing has to be switched off meanwhile.
            COMMAND => {}
            FIRST_BAR..=LAST_BAR => self.asked.set((data == u32::MAX).then_some(register)),
            _ => self.access.write_word(function, register, data),
        }
    }

    unsafe fn unsafe_clone(&self) -> Self {
        // SAFETY: as the caller promises.
        Self { access: unsafe { self.access.unsafe_clone() }, asked: self.asked.clone() }
    }
}

const COMMAND: u8 = 0x04;
const FIRST_BAR: u8 = 0x10;
const LAST_BAR: u8 = 0x24;
/// The answer of 2 GiB of memory, and the bits that say of which kind it is. The upper half of a size of 64 bits has no kind, but
/// all ones but for its low bits, which do not matter.
const SIZE_MASK: u32 = 0x8000_0000;
const FLAGS: u32 = 0xf;

#[cfg(test)]
mod tests {
    use super::*;
    use virtio_drivers::transport::pci::bus::{BarInfo, MemoryBarType, PciRoot};

    /// Memory of 64 bits at 0x38_fe00_4000 and of 32 bits at 0xfebf_1000; nothing may be written.
    struct Untouchable;

    impl ConfigurationAccess for Untouchable {
        fn read_word(&self, _: DeviceFunction, register: u8) -> u32 {
            match register {
                0x04 => 0x0010_0006,
                0x10 => 0xfe00_400c,
                0x14 => 0x38,
                0x18 => 0xfebf_1000,
                _ => 0,
            }
        }

        fn write_word(&mut self, _: DeviceFunction, register: u8, data: u32) {
            panic!("{data:#x} was written to {register:#x}");
        }

        unsafe fn unsafe_clone(&self) -> Self {
            Self
        }
    }

    #[test]
    fn addresses_are_true_sizes_are_large_and_nothing_is_written() {
        let function = DeviceFunction { bus: 0, device: 1, function: 0 };
        let mut root = PciRoot::new(AnySize::new(Untouchable));
        let bars = root.bars(function).expect("two that are right");
        let Some(BarInfo::Memory { address, size, .. }) = bars[0] else { panic!("{bars:?}") };
        assert_eq!(address, 0x38_fe00_4000);
        assert!(size >= 1 << 31);
        let narrow = BarInfo::Memory {
            address_type: MemoryBarType::Width32,
            prefetchable: false,
            address: 0xfebf_1000,
            size: 1 << 31,
        };
        assert_eq!(bars[2], Some(narrow));
    }
}
