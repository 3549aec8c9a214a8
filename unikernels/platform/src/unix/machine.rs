//! The process as the rest of the platform sees it.

use alloc::rc::Rc;
use std::io;

use mirage_block::ErrorKind;
use mirage_clock::{Instant, Monotonic as _, Timestamp, Wall as _};
use mirage_console::Console as _;
use mirage_unix::{Console, MonotonicClock, Reactor, WallClock};

use super::host::Host;
use super::signals::Signals;
use crate::executor::Park;
use crate::{Argument, Arguments, DeviceError};

/// What [`Machine::new`] reads.
pub(super) const ARGUMENTS: &[Argument] = &[];

/// A network device of an application's own.
pub(crate) type Net = mirage_net_unix::Tap;
pub(crate) use crate::device::NoDisk as Block;

/// The process. A handle: clones are the same.
#[derive(Clone)]
pub(crate) struct Machine {
    reactor: Reactor,
    signals: Rc<Signals>,
}

impl Machine {
    pub(super) fn new(_arguments: &Arguments) -> io::Result<Self> {
        let reactor = Reactor::new()?;
        let signals = Rc::new(Signals::new(&reactor)?);
        Ok(Self { reactor, signals })
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

    pub(crate) fn block(&self, _name: &str) -> Result<Block, DeviceError> {
        Err(DeviceError::Missing)
    }

    pub(crate) async fn flush(disk: &mut Block) -> Option<Result<(), ErrorKind>> {
        match *disk {}
    }

    pub(crate) fn net(&self, _name: &str) -> Result<Net, DeviceError> {
        Err(DeviceError::Missing)
    }
}
