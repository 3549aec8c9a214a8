//! What the driver sees.

use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{Error, PhysAddr, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Model;
use super::ring::Ring;

impl Transport for Model {
    fn device_type(&self) -> DeviceType {
        self.state.borrow().kind
    }

    fn read_device_features(&mut self) -> u64 {
        self.state.borrow().offered
    }

    fn write_driver_features(&mut self, features: u64) {
        let mut state = self.state.borrow_mut();
        assert_eq!(features & !state.offered, 0, "a feature that was not offered");
        state.accepted = features;
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        self.state.borrow().queues.get(usize::from(queue)).map_or(0, |queue| queue.most)
    }

    fn notify(&mut self, queue: u16) {
        let mut state = self.state.borrow_mut();
        assert!(state.status.contains(DeviceStatus::DRIVER_OK), "a notification before the device runs");
        state.queues[usize::from(queue)].notifications += 1;
    }

    fn get_status(&self) -> DeviceStatus {
        self.state.borrow().status
    }

    fn set_status(&mut self, status: DeviceStatus) {
        let mut state = self.state.borrow_mut();
        if status.is_empty() {
            state.resets += 1;
            state.accepted = 0;
            state.pending = InterruptStatus::empty();
            for queue in &mut state.queues {
                *queue = Ring::new(queue.most);
            }
        }
        state.status = status;
        if state.refuses {
            state.status -= DeviceStatus::FEATURES_OK;
        }
    }

    fn set_guest_page_size(&mut self, _: u32) {}

    fn requires_legacy_layout(&self) -> bool {
        self.state.borrow().legacy
    }

    fn queue_set(
        &mut self,
        queue: u16,
        size: u32,
        descriptors: PhysAddr,
        driver_area: PhysAddr,
        device_area: PhysAddr,
    ) {
        let mut state = self.state.borrow_mut();
        if state.legacy {
            let parts = u64::from(size) * 16 + 2 * (3 + u64::from(size));
            assert_eq!(driver_area, descriptors + u64::from(size) * 16, "the layout from before version 1");
            assert_eq!(device_area, descriptors + parts.next_multiple_of(4096), "the layout from before version 1");
        }
        let queue = &mut state.queues[usize::from(queue)];
        assert!(size.is_power_of_two() && size <= queue.most, "a queue of {size}");
        *queue =
            Ring { size: size as u16, descriptors, available: driver_area, used: device_area, ..Ring::new(queue.most) };
    }

    fn queue_unset(&mut self, queue: u16) {
        let mut state = self.state.borrow_mut();
        let queue = &mut state.queues[usize::from(queue)];
        *queue = Ring::new(queue.most);
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        self.state.borrow().queues.get(usize::from(queue)).is_some_and(|queue| queue.size != 0)
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        core::mem::take(&mut self.state.borrow_mut().pending)
    }

    fn read_config_generation(&self) -> u32 {
        0
    }

    fn read_config_space<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T> {
        let state = self.state.borrow();
        let bytes = state.config.get(offset..offset + size_of::<T>()).ok_or(Error::ConfigSpaceTooSmall)?;
        T::read_from_bytes(bytes).map_err(|_| Error::ConfigSpaceTooSmall)
    }

    fn write_config_space<T: IntoBytes + Immutable>(&mut self, _: usize, _: T) -> Result<()> {
        Err(Error::Unsupported)
    }
}
