//! The tender as the rest of the platform sees it.

use alloc::boxed::Box;
use core::cell::OnceCell;
use core::future::{Pending, pending};

use mirage_block::ErrorKind;
use mirage_clock::{Instant, Timestamp};
use mirage_solo5::{Abi as _, Boot, ProcessorEntropy};

use super::Abi;
use crate::cell::made;
use crate::executor::Park;
use crate::{DeviceError, Exit, Stats, image};

/// A network device.
pub(crate) type Net = mirage_net_solo5::Nic<Abi>;
/// Who counts what the network does. An application that never asks is without the code behind it.
pub(crate) type Counted = Box<dyn Stats>;
/// A block device.
pub(crate) type Block = mirage_block_solo5::Disk<Abi>;

/// The tender.
pub(crate) struct Machine {
    boot: Boot,
    /// Made when it is first asked for: not every image waits or has a device.
    shared: OnceCell<mirage_solo5::Machine<Abi>>,
}

impl Machine {
    /// Whether memory is all zeroes at first: the tenders map it so.
    pub(crate) const BEGINS_ZEROED: bool = true;

    pub(super) const fn new(boot: Boot) -> Self {
        Self { boot, shared: OnceCell::new() }
    }

    fn shared(&self) -> &mirage_solo5::Machine<Abi> {
        made(&self.shared, || mirage_solo5::Machine::new(&self.boot))
    }

    /// Writes bytes to the console.
    pub(crate) fn write(bytes: &[u8]) {
        Abi::write(bytes);
    }

    pub(crate) fn monotonic() -> Instant {
        Instant::from_nanos(Abi::monotonic())
    }

    pub(crate) fn wall() -> Option<Timestamp> {
        let nanos = Abi::wall()?;
        Some(Timestamp { seconds: (nanos / 1_000_000_000) as i64, nanos: (nanos % 1_000_000_000) as u32 })
    }

    /// Prints one line, in one piece where it is short.
    pub(crate) fn print(line: &str) {
        image::print(line);
    }

    /// There is one console for everything.
    pub(crate) fn complain(line: &str) {
        image::print(line);
    }

    pub(crate) fn entropy(&self) -> ProcessorEntropy {
        ProcessorEntropy
    }

    pub(crate) fn park(&self) -> impl Park + 'static {
        Tender(self.shared().clone())
    }

    /// Nobody can ask an image to stop: the tender ends it.
    pub(crate) fn stopped(&self) -> Pending<&'static str> {
        pending()
    }

    pub(crate) fn block(&self, name: &str) -> Result<Block, DeviceError> {
        Block::open(self.shared(), name).map_err(|_| DeviceError::Missing)
    }

    /// The interface has no such call.
    pub(crate) async fn flush(_disk: &mut Block) -> Option<Result<(), ErrorKind>> {
        None
    }

    pub(crate) fn net(&self, name: &str) -> Result<Net, DeviceError> {
        Net::open(self.shared(), name).map_err(|_| DeviceError::Missing)
    }

    pub(crate) fn free_memory() -> Option<usize> {
        Some(image::free_memory())
    }

    pub(crate) fn exit(exit: Exit) -> ! {
        Abi::exit(exit.0)
    }
}

/// Waits in the tender.
struct Tender(mirage_solo5::Machine<Abi>);

impl Park for Tender {
    fn now(&self) -> Instant {
        Machine::monotonic()
    }

    fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool) {
        // Nothing runs beside this thread, so what is idle now stays idle.
        let until = if idle() { until } else { Some(Instant::ZERO) };
        self.0.wait(until);
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(|| {})
    }
}
