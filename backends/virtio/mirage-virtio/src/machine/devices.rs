//! The devices of the machine.

mod any_size;
mod doorbells;
mod function;
mod microvm;
mod msix;
mod pci;
mod placement;
mod queue_registers;
mod slot;
mod transport;

pub(crate) use slot::Slot;
pub use transport::DeviceTransport;

use core::cell::Cell;
use core::ops::Range;

use virtio_drivers::transport::{DeviceType, Transport};

use super::boot;
use super::interrupts::Line;
use super::single::Single;

/// A virtio device.
#[derive(Debug)]
pub struct Device {
    /// What it is.
    pub device_type: DeviceType,
    /// Its registers, for a driver. A device without driver stays as the machine started it; one whose transport is dropped is reset
    /// if it is on a bus.
    pub transport: DeviceTransport,
    /// Its interrupt: one for all queues.
    pub bell: Line,
}

impl Device {
    fn new(transport: DeviceTransport, bell: Line) -> Self {
        Self { device_type: transport.device_type(), transport, bell }
    }
}

/// Gives `take` the virtio devices: those of the PCI bus by their place on it, then those without a bus as the command line or
/// QEMU's `microvm` has them, which is the order in which QEMU and Firecracker were told of them. They are given away: a second
/// call finds none.
///
/// Devices that this crate has no way to speak to are left out: legacy devices on a PCI bus, and all after the 63rd.
pub fn devices(take: &mut dyn FnMut(Device)) {
    if GIVEN_AWAY.replace(true) {
        return;
    }
    let mut free = FREE;
    for function in pci::functions() {
        function::open(function, &mut free).map(&mut *take);
    }
    slots(&mut |slot| {
        slot::open(slot).map(&mut *take);
    });
}

/// Addresses that no PC that QEMU makes uses for anything but devices on the bus, and of those only firmware that places them all.
const FREE: Range<u64> = 0xf000_0000..0xfe00_0000;

/// Where devices without a bus may be: where the command line says, else where QEMU's `microvm` has them.
fn slots(look: &mut dyn FnMut(Slot)) {
    let mut said = false;
    for slot in boot::slots() {
        said = true;
        look(slot);
    }
    if !said && !pci::is_there() {
        microvm::slots().for_each(look);
    }
}

// SAFETY: only the one processor uses it.
static GIVEN_AWAY: Single<Cell<bool>> = unsafe { Single::new(Cell::new(false)) };
