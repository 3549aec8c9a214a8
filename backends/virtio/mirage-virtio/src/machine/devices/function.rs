//! A device on the PCI bus.

use core::ops::Range;

use virtio_drivers::transport::pci::bus::{Command, ConfigurationAccess, DeviceFunction, PCI_CAP_ID_VNDR, PciRoot};
use virtio_drivers::transport::pci::{
    PciTransport, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_VENDOR_ID,
};

use super::any_size::AnySize;
use super::doorbells::Doorbells;
use super::msix::{self, Vectors};
use super::pci::Ports;
use super::placement::place;
use super::{Device, DeviceTransport};
use crate::Dma;
use crate::machine::interrupts::Line;
use crate::machine::memory;

/// The device of a function; `None` when it is not a virtio device of the modern kind.
///
/// Where the firmware has not put it anywhere it gets addresses in `free`.
pub(super) fn open(function: DeviceFunction, free: &mut Range<u64>) -> Option<Device> {
    if Ports.read_word(function, 0) as u16 != VIRTIO_VENDOR_ID {
        return None;
    }
    place(&mut Ports, function, free);
    let mut root = PciRoot::new(Ports);
    for kind in VIRTIO_PCI_CAP_COMMON_CFG..=VIRTIO_PCI_CAP_DEVICE_CFG {
        if let Some(registers) = structure(&root, function, kind) {
            memory::map_device(registers.address as u64, registers.bytes.into())?;
        }
    }
    let (_, command) = root.get_status_command(function);
    let wanted = command | Command::MEMORY_SPACE | Command::BUS_MASTER | Command::INTERRUPT_DISABLE;
    if command != wanted {
        root.set_command(function, wanted);
    }
    let transport = PciTransport::new::<Dma, _>(&mut PciRoot::new(AnySize::new(Ports)), function).ok()?;
    let common = structure(&root, function, VIRTIO_PCI_CAP_COMMON_CFG)?;
    let notify = structure(&root, function, VIRTIO_PCI_CAP_NOTIFY_CFG)?;
    let multiplier = Ports.read_word(function, notify.capability.checked_add(16)?);
    let line = Line::take()?;
    let interrupts = msix::enable(&mut root, function, line.vector());
    if interrupts.is_none() {
        line.poll_always();
    }
    // SAFETY: these are the registers of the device by its own word, which the transport found good.
    let (vectors, doorbells) = unsafe {
        (Vectors::new(common.address, interrupts), Doorbells::new(common.address, notify.address, multiplier))
    };
    Some(Device::new(DeviceTransport::of_function(transport, vectors, doorbells), line))
}

/// A group of registers.
#[derive(Clone, Copy, Debug)]
struct Structure {
    /// Where it is described in the configuration of the device.
    capability: u8,
    address: usize,
    bytes: u32,
}

/// The group of this kind (virtio 1.2 §4.1.4): the first is to be used.
#[inline(never)]
fn structure(root: &PciRoot<Ports>, function: DeviceFunction, kind: u8) -> Option<Structure> {
    let capability = root
        .capabilities(function)
        .find(|found| found.id == PCI_CAP_ID_VNDR && found.private_header >> 8 == kind.into())?
        .offset;
    let bar = Ports.read_word(function, capability.checked_add(4)?) as u8;
    let offset = Ports.read_word(function, capability.checked_add(8)?);
    let address = bar_address(function, bar)?.checked_add(offset.into())?;
    let bytes = Ports.read_word(function, capability.checked_add(12)?);
    Some(Structure { capability, address: usize::try_from(address).ok()?, bytes })
}

/// Where the memory of a device begins that has the number `bar`; `None` when it has none, or ports in place of it.
pub(super) fn bar_address(function: DeviceFunction, bar: u8) -> Option<u64> {
    let register = |bar: u8| Ports.read_word(function, 0x10 + 4 * bar);
    let low = (bar < 6).then(|| register(bar))?;
    let high = match low & 0b111 {
        0b100 if bar < 5 => register(bar + 1),
        0b000 => 0,
        _ => return None,
    };
    let address = u64::from(high) << 32 | u64::from(low & !0xf);
    (address != 0).then_some(address)
}
