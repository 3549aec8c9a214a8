//! The process as the rest of the platform sees it.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use mirage_block::{Error as _, ErrorKind, Flush as _};
use mirage_clock::{Instant, Monotonic as _, Timestamp, Wall as _};
use mirage_console::Console as _;
use mirage_unix::{Console, MonotonicClock, Reactor, WallClock};

use super::block;
use super::host::Host;
use super::signals::Signals;
use crate::executor::Park;
use crate::{Argument, Arguments, DeviceError};

/// What [`Machine::new`] reads.
pub(super) const ARGUMENTS: &[Argument] = &[block::BLOCK];

/// A network device of an application's own.
pub(crate) type Net = mirage_net_unix::Tap;
/// A block device.
pub(crate) type Block = mirage_block_unix::Disk;

/// The process. A handle: clones are the same.
#[derive(Clone)]
pub(crate) struct Machine {
    reactor: Reactor,
    signals: Rc<Signals>,
    /// By name; `None` where it was handed out.
    disks: Rc<RefCell<Vec<(String, Option<Block>)>>>,
}

impl Machine {
    /// The process with the disks that the arguments name. They are opened here, so that whoever typed them hears of it.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Box<dyn core::error::Error>> {
        let reactor = Reactor::new()?;
        let signals = Rc::new(Signals::new(&reactor)?);
        let mut disks = Vec::new();
        for block::Block { name, path, options } in arguments.all(&block::BLOCK)? {
            let disk = Block::open(&path, options).map_err(|error| format!("{}: {error}", path.display()))?;
            disks.push((name, Some(disk)));
        }
        Ok(Self { reactor, signals, disks: Rc::new(RefCell::new(disks)) })
    }

    pub(super) const fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// Prints one line. A console that nobody reads is no reason to stop.
    pub(crate) fn print(line: &str) {
        let _ = Console::stdout().write_line(line);
    }

    /// Prints one line where errors and logs go.
    pub(crate) fn complain(line: &str) {
        let _ = Console::stderr().write_line(line);
    }

    pub(crate) fn monotonic() -> Instant {
        MonotonicClock.now()
    }

    pub(crate) fn wall() -> Option<Timestamp> {
        WallClock.timestamp()
    }

    pub(crate) fn park(&self) -> impl Park + 'static {
        Host { reactor: self.reactor.clone() }
    }

    /// Who asked the process to stop.
    pub(crate) async fn stopped(&self) -> &'static str {
        self.signals.first().await
    }

    pub(crate) fn block(&self, name: &str) -> Result<Block, DeviceError> {
        let mut disks = self.disks.borrow_mut();
        let (_, disk) = disks.iter_mut().find(|(known, _)| known == name).ok_or(DeviceError::Missing)?;
        disk.take().ok_or(DeviceError::Busy)
    }

    pub(crate) async fn flush(disk: &mut Block) -> Option<Result<(), ErrorKind>> {
        Some(disk.flush().await.map_err(|error| error.kind()))
    }

    pub(crate) fn net(&self, _name: &str) -> Result<Net, DeviceError> {
        Err(DeviceError::Missing)
    }
}
