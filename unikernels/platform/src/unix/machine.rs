//! The process as the rest of the platform sees it.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use std::io;

use mirage_block::{Error as _, ErrorKind, Flush as _};
use mirage_clock::{Instant, Monotonic as _, Timestamp, Wall as _};
use mirage_console::Console as _;
use mirage_unix::{Console, MonotonicClock, Reactor, WallClock};

use super::block::{Disks, Lent};
use super::host::Host;
use super::nic::Nics;
use super::signals::Signals;
use crate::executor::Park;
use crate::{Arguments, Device, DeviceError, Stats};

/// A network device of an application's own.
pub(crate) type Net = mirage_net_unix::Tap;
/// Who counts what the network does: one of three.
pub(crate) type Counted = Box<dyn Stats>;
/// A file or block device of the host.
pub(crate) type Block = Lent;

/// The process. A handle: clones are the same.
#[derive(Clone)]
pub(crate) struct Machine {
    reactor: Reactor,
    signals: Rc<Signals>,
    disks: Disks,
    nics: Nics,
}

impl Machine {
    /// The process with the disks that the arguments name; those of `devices`, as [`check`](super::block::check) has found.
    pub(super) fn new(arguments: &Arguments, devices: &[Device]) -> Result<Self, String> {
        let host = || -> io::Result<_> {
            let reactor = Reactor::new()?;
            let signals = Rc::new(Signals::new(&reactor)?);
            Ok((reactor, signals))
        };
        let (reactor, signals) = host().map_err(|error| format!("{error}"))?;
        let (disks, nics) = (Disks::open(arguments, devices)?, Nics::open(arguments, &reactor)?);
        Ok(Self { reactor, signals, disks, nics })
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

    /// The host knows.
    pub(crate) const fn free_memory() -> Option<usize> {
        None
    }

    pub(crate) fn park(&self) -> impl Park + 'static {
        Host { reactor: self.reactor.clone() }
    }

    /// Who asked the process to stop.
    pub(crate) async fn stopped(&self) -> &'static str {
        self.signals.first().await
    }

    pub(crate) fn block(&self, name: &str) -> Result<Block, DeviceError> {
        self.disks.lend(name)
    }

    pub(crate) async fn flush(disk: &mut Block) -> Option<Result<(), ErrorKind>> {
        Some(disk.flush().await.map_err(|error| error.kind()))
    }

    pub(crate) fn net(&self, name: &str) -> Result<Net, DeviceError> {
        self.nics.take(name)
    }
}
