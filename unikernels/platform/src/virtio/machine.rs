//! The virtual machine as the rest of the platform sees it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::future::{Pending, pending};

use mirage_block::{Error as _, ErrorKind, Flush as _};
use mirage_clock::{Instant, Monotonic as _, Timestamp, Wall as _};
use mirage_net_virtio::Options;
use mirage_virtio::{DeviceTransport, Dma, HardwareEntropy, Line, MonotonicClock, WallClock};
use virtio_drivers::transport::DeviceType;

use crate::device::DeviceKind;
use crate::executor::Park;
use crate::{Device, DeviceError, Exit, Stats, image};

/// A network device.
pub(crate) type Net = mirage_net_virtio::Nic<Dma, DeviceTransport, Line>;
/// Who counts what the network does. An application that never asks is without the code behind it.
pub(crate) type Counted = Box<dyn Stats>;
/// A block device.
pub(crate) type Block = mirage_block_virtio::Disk<Dma, DeviceTransport, Line>;

/// The virtual machine.
pub(crate) struct Machine {
    declared: &'static [&'static [Device]],
    /// What they are, in the order of their addresses; no device where it was handed out. Taken out while it is looked at.
    found: Cell<Vec<Found>>,
}

/// What a device is, and the device until it is handed out.
type Found = (DeviceType, Option<mirage_virtio::Device>);

impl Machine {
    /// Whether memory is all zeroes at first. A virtual machine's may hold what was there before it was started anew.
    pub(crate) const BEGINS_ZEROED: bool = false;

    pub(super) const fn new(declared: &'static [&'static [Device]]) -> Self {
        Self { declared, found: Cell::new(Vec::new()) }
    }

    /// Writes bytes to the console.
    pub(crate) fn write(bytes: &[u8]) {
        mirage_virtio::console::write(bytes);
    }

    /// Prints one line.
    pub(crate) fn print(line: &str) {
        image::print(line);
    }

    /// There is one console for everything.
    pub(crate) fn complain(line: &str) {
        image::print(line);
    }

    pub(crate) fn monotonic() -> Instant {
        MonotonicClock.now()
    }

    pub(crate) fn wall() -> Option<Timestamp> {
        WallClock.timestamp()
    }

    pub(crate) fn entropy(&self) -> HardwareEntropy {
        HardwareEntropy::new(self.take(DeviceType::EntropySource, 0).ok().map(|device| device.transport))
    }

    pub(crate) fn park(&self) -> impl Park + 'static {
        Processor
    }

    /// Nobody can ask an image to stop: the machine is turned off.
    pub(crate) fn stopped(&self) -> Pending<&'static str> {
        pending()
    }

    pub(crate) fn block(&self, name: &str) -> Result<Block, DeviceError> {
        let device = self.take(DeviceType::Block, self.place(name, DeviceKind::Block)?)?;
        Block::new(device.transport, device.bell).map_err(|_| DeviceError::Unusable)
    }

    pub(crate) async fn flush(disk: &mut Block) -> Option<Result<(), ErrorKind>> {
        if !disk.can_flush() {
            return None;
        }
        Some(disk.flush().await.map_err(|error| error.kind()))
    }

    pub(crate) fn net(&self, name: &str) -> Result<Net, DeviceError> {
        let device = self.take(DeviceType::Network, self.place(name, DeviceKind::Net)?)?;
        let bytes = (image::memory() / SHARE).clamp(LEAST, MOST);
        let options = Options { receive_bytes: bytes, transmit_bytes: bytes, ..Options::default() };
        Net::new(device.transport, device.bell, options).map_err(|_| DeviceError::Unusable)
    }

    pub(crate) fn free_memory() -> Option<usize> {
        Some(image::free_memory())
    }

    pub(crate) fn exit(exit: Exit) -> ! {
        mirage_virtio::exit(exit.0)
    }

    /// Devices have no names here: the first that is declared of a kind is the first of that kind that the machine has.
    fn place(&self, name: &str, kind: DeviceKind) -> Result<usize, DeviceError> {
        let declared = self.declared.iter().copied().flatten();
        let place = declared.filter(|device| device.kind == kind).position(|device| device.name == name);
        place.ok_or(DeviceError::Missing)
    }

    /// Takes the device of this type that has so many before it.
    fn take(&self, device_type: DeviceType, place: usize) -> Result<mirage_virtio::Device, DeviceError> {
        let mut found = self.found.take();
        // The second time there are none.
        mirage_virtio::devices(&mut |device| found.push((device.device_type, Some(device))));
        let mut of_type = found.iter_mut().filter(|(found, _)| *found == device_type);
        let device = of_type.nth(place).ok_or(DeviceError::Missing).map(|(_, device)| device.take());
        self.found.set(found);
        device?.ok_or(DeviceError::Busy)
    }
}

/// The part of memory that each queue of a network device may have, and its bounds in bytes.
const SHARE: usize = 32;
const LEAST: usize = 64 * 1024;
const MOST: usize = 512 * 1024;

/// Waits for an interrupt.
struct Processor;

impl Park for Processor {
    fn now(&self) -> Instant {
        Machine::monotonic()
    }

    fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool) {
        mirage_virtio::wait(until, idle);
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(|| {})
    }
}
