//! What the stack above should hear of.

use core::net::Ipv4Addr;

use mirage_net::MacAddress;
use mirage_protocols::EtherType;

/// What the stack above should hear of. When their queue is full the oldest is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nobody else has this address: what was added with [`Claim::Probe`](crate::Claim::Probe) may be used now.
    Ready(Ipv4Addr),
    /// Another station uses an address of ours. If it was still being probed it is removed: choose another. If it
    /// was in use it was defended, at most once in each defend interval, and stays ours (RFC 5227 §2.4 (c)).
    Conflict {
        /// Our address.
        ip: Ipv4Addr,
        /// Who else uses it.
        mac: MacAddress,
    },
    /// This neighbour does not answer; the packets that waited for it are lost.
    Unresolved(Ipv4Addr),
}

/// A packet that could not be sent because its target did not answer: the first of those that were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnresolvedPacket<'a> {
    /// What it is.
    pub ethertype: EtherType,
    /// The whole packet as it was handed to ARP.
    pub bytes: &'a [u8],
}
