//! What a machine lives on, lent by whoever builds it.

use managed::ManagedSlice;
use mirage_waker::WakerPool;

use crate::{Block, HalfOpenSlot, ListenerSlot, Profile, RunSlot, Slot, Standard, TimeWaitSlot, TimerSlot};

/// What a machine lives on. The length of each slice is the bound of what it holds; nothing else is ever allocated.
///
/// Every slice may be empty; the machine then cannot do what needs it, and says so.
#[derive(Debug)]
pub struct Storage<'s, P: Profile = Standard> {
    /// One for each connection, established or being opened by us.
    pub connections: ManagedSlice<'s, Slot<P>>,
    /// Heads of the hash table. Only the largest power of two of them is used; as many as
    /// [`buckets_for`](Self::buckets_for) says make every look-up take one step on average.
    pub buckets: ManagedSlice<'s, u32>,
    /// One for each listener.
    pub listeners: ManagedSlice<'s, ListenerSlot>,
    /// Memories of closed connections; the oldest is given up when a further one comes.
    pub time_wait: ManagedSlice<'s, TimeWaitSlot>,
    /// Handshakes under way through listeners; when they are all taken, SYN cookies take over.
    pub half_open: ManagedSlice<'s, HalfOpenSlot>,
    /// Timers: as many as [`timers_for`](Self::timers_for) says. With fewer, some timeouts come late or never.
    pub timers: ManagedSlice<'s, TimerSlot>,
    /// Buffers for data, shared by all connections. An idle connection holds none.
    pub blocks: ManagedSlice<'s, Block>,
    /// Records of what is under way, shared by all connections: as many as [`runs_for`](Self::runs_for) says. With fewer,
    /// losses are found less exactly, and some connections wait before they send.
    pub runs: ManagedSlice<'s, RunSlot>,
    /// Wakers of waiting tasks: two for each connection that is read and written at once.
    pub wakers: WakerPool<'s>,
}

impl Storage<'_> {
    /// How many timers there have to be for so many connections and handshakes.
    pub const fn timers_for(connections: usize, half_open: usize) -> usize {
        connections + half_open + 1
    }

    /// How many records of what is under way there should be for so many blocks.
    pub const fn runs_for(blocks: usize) -> usize {
        blocks + 16
    }

    /// How many buckets there should be for so many things to find: the next power of two.
    pub const fn buckets_for(connections: usize, half_open: usize, time_wait: usize, listeners: usize) -> usize {
        (connections + half_open + time_wait + listeners).next_power_of_two()
    }
}
