//! The memory ARP is lent.

use managed::ManagedSlice;

use crate::{Address, Entry, Event, Message, Pending};

/// The memory ARP is lent, and thereby its bounds. What it holds beforehand does not matter.
///
/// Any part may be empty: without entries nothing but groups and broadcast can be reached, without room for packets
/// the first to each target is lost, without messages nobody is answered.
#[derive(Debug)]
pub struct Storage<'s> {
    /// One for each neighbour that is known or asked for, at most 65,535 ([`Entry::EMPTY`]).
    pub entries: ManagedSlice<'s, Entry>,
    /// One for each address of our own.
    pub addresses: ManagedSlice<'s, Option<Address>>,
    /// One for each packet that waits for its target.
    pub pending: ManagedSlice<'s, Option<Pending>>,
    /// The bytes of those packets, all together; one packet should fit at least.
    pub bytes: ManagedSlice<'s, u8>,
    /// One for each answer and refreshing request that waits for the device.
    pub messages: ManagedSlice<'s, Option<Message>>,
    /// One for each event that waits to be fetched.
    pub events: ManagedSlice<'s, Option<Event>>,
}
