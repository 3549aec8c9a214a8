//! Where a device without a bus is, by the command line.

use core::ptr::{NonNull, with_exposed_provenance_mut};

use virtio_drivers::transport::mmio::MmioTransport;

use super::queue_registers::QueueRegisters;
use super::{Device, DeviceTransport};
use crate::machine::cpu::io_apic;
use crate::machine::cpu::mmio::Mmio;
use crate::machine::interrupts::Line;

/// The registers of a device that is found without a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where its registers begin.
    pub(crate) address: u32,
    /// How many bytes they take.
    pub(crate) bytes: u32,
    /// The input of the interrupt controller that it is wired to.
    pub(crate) interrupt: u8,
}

impl Slot {
    /// Reads `SIZE@ADDRESS:INTERRUPT`, with `:NUMBER` after it or not, as Linux takes it after `virtio_mmio.device=`.
    ///
    /// Numbers are decimal, hexadecimal with `0x` or octal with `0`; the size may end in `K`, `M` or `G`. `None` for anything else
    /// and for what does not lie
    /// between 1 MiB and 4 GiB.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let (size, place) = text.split_once('@')?;
        let mut place = place.split(':');
        let address = number(place.next()?)?;
        let interrupt = u8::try_from(number(place.next()?)?).ok()?;
        let bytes = size_of(size)?;
        let end = address.checked_add(bytes)?;
        if address < 1 << 20 || address % 4 != 0 || end > 1 << 32 {
            return None;
        }
        Some(Self { address: u32::try_from(address).ok()?, bytes: u32::try_from(bytes).ok()?, interrupt })
    }
}

/// The device of a slot; `None` when it is empty or not a device.
pub(super) fn open(slot: Slot) -> Option<Device> {
    let header = NonNull::new(with_exposed_provenance_mut(slot.address as usize))?;
    // SAFETY: either the machine says that there are registers, or they were found there; they stay for ever, and each slot is
    // opened once. Where it is wrong, what is read there is not the magic number.
    let transport = unsafe { MmioTransport::new(header, slot.bytes as usize) }.ok()?;
    let line = Line::take()?;
    // SAFETY: this is the register of the device by which it is told that its interrupt was seen.
    line.acknowledge_at(unsafe { Mmio::new(slot.address as usize + INTERRUPT_ACK) });
    io_apic::route(slot.interrupt, line.vector());
    // SAFETY: the registers of the device are there, for ever.
    let queues = unsafe { QueueRegisters::new(slot.address as usize) };
    Some(Device::new(DeviceTransport::of_slot(transport, queues), line))
}

/// virtio 1.2 §4.2.2.
const INTERRUPT_ACK: usize = 0x64;

/// A number with a unit.
fn size_of(text: &str) -> Option<u64> {
    let units = [(['K', 'k'], 10), (['M', 'm'], 20), (['G', 'g'], 30)];
    let found = units.into_iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)));
    let (digits, shift) = found.unwrap_or((text, 0));
    number(digits)?.checked_mul(1 << shift)
}

/// A number as C writes it.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (digits, 16)
    } else if let Some(digits) = text.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        (digits, 8)
    } else {
        (text, 10)
    };
    // `from_str_radix` would take a sign.
    if digits.starts_with('+') { None } else { u64::from_str_radix(digits, radix).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_qemu_and_firecracker_are_understood() {
        assert_eq!(Slot::parse(b"512@0xfeb00e00:12"), Some(Slot { address: 0xfeb0_0e00, bytes: 512, interrupt: 12 }));
        assert_eq!(Slot::parse(b"4K@0xd0000000:5"), Some(Slot { address: 0xd000_0000, bytes: 4096, interrupt: 5 }));
        assert_eq!(Slot::parse(b"1M@3489660928:010:7").map(|slot| slot.interrupt), Some(8));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "@",
            "512",
            "512@",
            "512@0x100000",
            "512@0x100000:",
            "512@0x100000:256",
            "@0x100000:1",
            "K@0x100000:1",
            "é@0x100000:1",
            "512@0x100002:1",
            "512@0xffffc:1",
            "512@0xffffff00:1",
            "512@0x100000000:1",
            "99999999999G@0x100000:1",
            "+1@0x100000:1",
        ] {
            assert_eq!(Slot::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Slot::parse(b"\xff@0x100000:1"), None);
    }
}
