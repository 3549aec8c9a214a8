//! The registers of a device, wherever it is.

use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::pci::PciTransport;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{PhysAddr, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::doorbells::Doorbells;
use super::msix::Vectors;
use super::queue_registers::QueueRegisters;

/// The registers of a device: on the PCI bus, or without one. The first is set up to interrupt, and is notified by one write.
///
/// Drivers need not call [`ack_interrupt`](Transport::ack_interrupt): the device's [bell](super::Device::bell) has done it before it wakes.
#[derive(Debug)]
pub struct DeviceTransport(Kind);

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there are few, and they do not move")]
enum Kind {
    Slot(MmioTransport<'static>, QueueRegisters),
    Function { transport: PciTransport, vectors: Vectors, doorbells: Doorbells },
}

use Kind::{Function, Slot};

impl DeviceTransport {
    pub(super) fn of_slot(transport: MmioTransport<'static>, queues: QueueRegisters) -> Self {
        Self(Slot(transport, queues))
    }

    pub(super) fn of_function(transport: PciTransport, vectors: Vectors, doorbells: Doorbells) -> Self {
        Self(Function { transport, vectors, doorbells })
    }
}

impl Transport for DeviceTransport {
    fn device_type(&self) -> DeviceType {
        match &self.0 {
            Slot(transport, _) => transport.device_type(),
            Function { transport, .. } => transport.device_type(),
        }
    }

    fn read_device_features(&mut self) -> u64 {
        match &mut self.0 {
            Slot(transport, _) => transport.read_device_features(),
            Function { transport, .. } => transport.read_device_features(),
        }
    }

    fn write_driver_features(&mut self, features: u64) {
        match &mut self.0 {
            Slot(transport, _) => transport.write_driver_features(features),
            Function { transport, .. } => transport.write_driver_features(features),
        }
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        match &mut self.0 {
            Slot(transport, _) => transport.max_queue_size(queue),
            Function { transport, .. } => transport.max_queue_size(queue),
        }
    }

    fn notify(&mut self, queue: u16) {
        match &mut self.0 {
            Slot(transport, _) => transport.notify(queue),
            Function { transport, doorbells, .. } => {
                if !doorbells.ring(queue) {
                    transport.notify(queue);
                }
            }
        }
    }

    fn get_status(&self) -> DeviceStatus {
        match &self.0 {
            Slot(transport, _) => transport.get_status(),
            Function { transport, .. } => transport.get_status(),
        }
    }

    fn set_status(&mut self, status: DeviceStatus) {
        match &mut self.0 {
            Slot(transport, _) => transport.set_status(status),
            Function { transport, .. } => transport.set_status(status),
        }
    }

    fn set_guest_page_size(&mut self, bytes: u32) {
        match &mut self.0 {
            Slot(transport, _) => transport.set_guest_page_size(bytes),
            Function { transport, .. } => transport.set_guest_page_size(bytes),
        }
    }

    fn requires_legacy_layout(&self) -> bool {
        match &self.0 {
            Slot(transport, _) => transport.requires_legacy_layout(),
            Function { transport, .. } => transport.requires_legacy_layout(),
        }
    }

    fn queue_set(&mut self, queue: u16, size: u32, descriptors: PhysAddr, driver: PhysAddr, device: PhysAddr) {
        match &mut self.0 {
            Slot(transport, queues) => {
                queues.set(transport.requires_legacy_layout(), queue, size, [descriptors, driver, device]);
            }
            Function { transport, vectors, doorbells } => {
                vectors.assign(queue);
                doorbells.find(queue);
                transport.queue_set(queue, size, descriptors, driver, device);
            }
        }
    }

    fn queue_unset(&mut self, queue: u16) {
        match &mut self.0 {
            Slot(transport, _) => transport.queue_unset(queue),
            Function { transport, .. } => transport.queue_unset(queue),
        }
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        match &mut self.0 {
            Slot(transport, _) => transport.queue_used(queue),
            Function { transport, .. } => transport.queue_used(queue),
        }
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        match &mut self.0 {
            Slot(transport, _) => transport.ack_interrupt(),
            Function { transport, .. } => transport.ack_interrupt(),
        }
    }

    fn read_config_generation(&self) -> u32 {
        match &self.0 {
            Slot(transport, _) => transport.read_config_generation(),
            Function { transport, .. } => transport.read_config_generation(),
        }
    }

    fn read_config_space<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T> {
        match &self.0 {
            Slot(transport, _) => transport.read_config_space(offset),
            Function { transport, .. } => transport.read_config_space(offset),
        }
    }

    fn write_config_space<T: IntoBytes + Immutable>(&mut self, offset: usize, value: T) -> Result<()> {
        match &mut self.0 {
            Slot(transport, _) => transport.write_config_space(offset, value),
            Function { transport, .. } => transport.write_config_space(offset, value),
        }
    }
}
