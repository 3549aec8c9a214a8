//! What is known of one neighbour.

use core::fmt;
use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_net::MacAddress;

/// No entry: the end of a list or chain.
pub(crate) const NONE: u16 = u16::MAX;

/// Room for one neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub(crate) ip: Ipv4Addr,
    /// Valid while `Static` or `Resolved`.
    pub(crate) mac: MacAddress,
    pub(crate) state: State,
    /// Requests sent since the last answer.
    pub(crate) tries: u8,
    /// `Resolved`: end of its life. `Waiting`: when the answer counts as missing. `Failed`: until when it counts as
    /// unreachable.
    pub(crate) until: Instant,
    /// `Resolved`: when it was last moved to the end of its list, within a second of its last use.
    pub(crate) used: Instant,
    /// `Resolved`: when a refreshing request may be sent next.
    pub(crate) refresh: Instant,
    /// First entry whose hash is the index of this one; this belongs to the place, not to the neighbour.
    pub(crate) bucket: u16,
    /// Next entry with the same hash.
    pub(crate) chain: u16,
    /// Neighbours in the list of all entries in this state.
    pub(crate) before: u16,
    pub(crate) after: u16,
}

/// What is known. Each state has a list of all entries in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing: the place is free.
    Free,
    /// Set by hand.
    Static,
    /// It answered. Least recently used first.
    Resolved,
    /// A request has to be sent. First come, first served.
    Due,
    /// A request was sent. Earliest deadline first, since all wait equally long.
    Waiting,
    /// It did not answer. Longest ago first.
    Failed,
}

impl State {
    pub(crate) const COUNT: usize = 6;
}

impl Entry {
    /// A place that nobody uses: `[Entry::EMPTY; 64]` is storage for a cache.
    pub const EMPTY: Self = Self {
        ip: Ipv4Addr::UNSPECIFIED,
        mac: MacAddress::UNSPECIFIED,
        state: State::Free,
        tries: 0,
        until: Instant::ZERO,
        used: Instant::ZERO,
        refresh: Instant::ZERO,
        bucket: NONE,
        chain: NONE,
        before: NONE,
        after: NONE,
    };
}

impl Default for Entry {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Every entry of the cache was set by hand: remove one, or lend more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheFull;

impl fmt::Display for CacheFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room for another static neighbour")
    }
}

impl core::error::Error for CacheFull {}
