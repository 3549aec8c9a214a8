//! Which port a socket gets.

use core::num::NonZeroU16;

use crate::table::Table;
use crate::{Address, BindError};
use mirage_secret::Draws;

/// Which port a socket asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// A free one that nobody outside can guess.
    Ephemeral,
    /// This one.
    Exactly(NonZeroU16),
    /// Every port that no other socket has: for gateways. There is one such socket at most.
    Any,
}

/// Which ports [`PortChoice::Ephemeral`] takes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EphemeralPorts {
    /// The lowest; not 0.
    pub first: NonZeroU16,
    /// The highest; `first` alone is used where it is lower.
    pub last: NonZeroU16,
}

impl Default for EphemeralPorts {
    /// 32,768 to 65,535: half of all, and above what services use (RFC 6056 §3.2 asks for many).
    fn default() -> Self {
        Self { first: NonZeroU16::MIN.saturating_add(0x7fff), last: NonZeroU16::MAX }
    }
}

/// The port that `choice` means; 0 for every port.
pub(crate) fn choose<A: Address>(
    table: &Table<'_, A>,
    address: Option<A>,
    choice: PortChoice,
    range: EphemeralPorts,
    draws: &mut Draws,
) -> Result<u16, BindError> {
    match choice {
        PortChoice::Any if table.has_any() => Err(BindError::InUse),
        PortChoice::Any => Ok(0),
        PortChoice::Exactly(port) if table.is_bound(address, port.get()) => Err(BindError::InUse),
        PortChoice::Exactly(port) => Ok(port.get()),
        PortChoice::Ephemeral => ephemeral(table, range, draws).ok_or(BindError::NoPort),
    }
}

/// RFC 6056 §3.3.2, algorithm 2: a random port, and another random one where it is taken. After a few tries the next free one
/// after the last guess: of as many ports as there are sockets and one more, one is free, so the search is bounded.
fn ephemeral<A: Address>(table: &Table<'_, A>, range: EphemeralPorts, draws: &mut Draws) -> Option<u16> {
    let first = range.first.get();
    let ports = u32::from(range.last.get().saturating_sub(first)) + 1;
    let at = |offset: u32| first.saturating_add((offset % ports) as u16);
    let mut draw = || draws.below(ports.into()) as u32;
    let random = (0..GUESSES).map(|_| at(draw())).find(|port| !table.has_port(*port));
    random.or_else(|| {
        let start = draw();
        let most = ports.min(table.in_use() as u32 + 1);
        (start..start + most).map(at).find(|port| !table.has_port(*port))
    })
}

/// Random tries before the search in order.
const GUESSES: usize = 8;
