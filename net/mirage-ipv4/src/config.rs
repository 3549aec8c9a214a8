//! What the layer is told once: its behaviour, its bounds and its memory.

use core::fmt;

use managed::ManagedSlice;
use mirage_clock::Duration;

use crate::{Address, Block, Fragmentation, Group, Route};

/// How the layer behaves. [`Config::default`] is right for an ordinary host.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Time to live of packets that ask for none, in hops: 64. Those to groups leave with 1 (RFC 1112 §6.1).
    pub ttl: u8,
    /// A packet to any unicast address counts as ours: for a gateway that answers in the name of others.
    pub accept_any: bool,
    /// Whether packets come and go in pieces.
    pub fragmentation: Fragmentation,
    /// Bounds of reassembly.
    pub limits: Limits,
}

impl Config {
    /// The defaults, with packets in pieces or without.
    pub const fn new(fragmentation: Fragmentation) -> Self {
        Self { ttl: 64, accept_any: false, fragmentation, limits: Limits::DEFAULT }
    }
}

impl Default for Config {
    /// Packets come and go in pieces.
    fn default() -> Self {
        Self::new(Fragmentation::BOTH_WAYS)
    }
}

/// Bounds of reassembly. How many bytes all datagrams together may hold is the number of blocks in
/// [`Storage::reassembly`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Datagrams that wait for fragments, those included that are remembered as dropped: 64.
    pub datagrams: u16,
    /// Fragments of one datagram: 256. A datagram of 65,535 bytes needs 45 at an MTU of 1,500 and 119 at 576.
    pub fragments_per_datagram: u16,
    /// Fragments of one source address: 1,024.
    pub fragments_per_source: u32,
    /// Memory of one source address in bytes, counted in whole [`Block`]s of [`Block::PAYLOAD`] bytes: 131,072. The
    /// longest datagram takes 129 blocks, 66,048 bytes.
    pub bytes_per_source: u32,
    /// How long a datagram waits for its fragments: 30 s, as Linux does; RFC 1122 §3.3.2 asks for 60 to 120 s, which
    /// gives an attacker four times the hold on our memory.
    pub timeout: Duration,
}

impl Limits {
    /// The numbers named above.
    pub const DEFAULT: Self = Self {
        datagrams: 64,
        fragments_per_datagram: 256,
        fragments_per_source: 1024,
        bytes_per_source: 128 * 1024,
        timeout: Duration::from_secs(30),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The memory of the layer, lent for its lifetime. Its sizes are bounds; each may be zero.
#[derive(Debug)]
pub struct Storage<'s> {
    /// Our addresses, one slot for each.
    pub addresses: ManagedSlice<'s, Option<Address>>,
    /// Routes beyond the networks of our addresses, one slot for each.
    pub routes: ManagedSlice<'s, Option<Route>>,
    /// Multicast groups, one slot for each on each interface.
    pub groups: ManagedSlice<'s, Option<Group>>,
    /// The arena of reassembly: one block for each datagram, one for each source, one for each 512 bytes of payload
    /// begun. Blocks beyond 65,534 are not used.
    pub reassembly: ManagedSlice<'s, Block>,
    /// Where a reassembled datagram lies, header included, while it is handed up: its length bounds theirs; 65,535
    /// takes all.
    pub assembly: ManagedSlice<'s, u8>,
    /// Where a packet that is longer than the MTU waits while its fragments leave: its length bounds theirs, without
    /// the header; 65,515 takes all.
    pub fragments_out: ManagedSlice<'s, u8>,
}

/// The table of addresses, routes or groups is full: lend a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

impl fmt::Display for TableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table is full")
    }
}

impl core::error::Error for TableFull {}
