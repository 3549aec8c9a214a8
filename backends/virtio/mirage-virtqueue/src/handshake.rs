//! How driver and device agree (Virtual I/O Device 1.2 §3.1.1).

use virtio_drivers::PAGE_SIZE;
use virtio_drivers::transport::{DeviceStatus, Transport};

use crate::Refused;

/// Feature: headers and data may share a descriptor (devices before version 1; later ones all do it).
pub const ANY_LAYOUT: u64 = 1 << 27;
/// Feature: both sides say at which place in the ring they want to be notified. For [`Queue::new`](crate::Queue::new).
pub const EVENT_INDEX: u64 = 1 << 29;
/// Feature: the device follows version 1 of the standard. It must be accepted where it is offered.
pub const VERSION_1: u64 = 1 << 32;

/// How often a device may be asked whether its reset is done.
const PATIENCE: usize = 100_000;

/// Resets the device and says that there is a driver; returns the features that the device offers.
pub fn begin(transport: &mut impl Transport) -> u64 {
    reset(transport);
    transport.set_status(DeviceStatus::ACKNOWLEDGE);
    transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER);
    transport.read_device_features()
}

/// Accepts `features`, a part of those that were offered. Then the queues are made.
///
/// # Errors
/// [`Refused::Features`] when the device does not work with these.
pub fn accept(transport: &mut impl Transport, features: u64) -> Result<(), Refused> {
    transport.write_driver_features(features);
    if features & VERSION_1 != 0 {
        transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER | DeviceStatus::FEATURES_OK);
        if !transport.get_status().contains(DeviceStatus::FEATURES_OK) {
            transport.set_status(DeviceStatus::FAILED);
            return Err(Refused::Features);
        }
    }
    // Before version 1 the ring's address was told in pages.
    transport.set_guest_page_size(PAGE_SIZE as u32);
    Ok(())
}

/// Lets the device begin.
pub fn finish(transport: &mut impl Transport) {
    transport.set_status(transport.get_status() | DeviceStatus::DRIVER_OK);
}

/// Takes everything back from the device. Afterwards it touches no memory of ours.
pub fn reset(transport: &mut impl Transport) {
    transport.set_status(DeviceStatus::empty());
    // §4.1.4.3.2: "the driver MUST wait for a read of device_status to return 0 before reinitializing the device".
    for _ in 0..PATIENCE {
        if transport.get_status() == DeviceStatus::empty() {
            return;
        }
        core::hint::spin_loop();
    }
}
