//! What the stack lives on.

use managed::ManagedSlice;
use mirage_tcp::{Profile, Standard};

/// What the stack lives on, lent by whoever builds it. The length of each part is a bound; nothing else is ever
/// allocated. With the feature `alloc`, [`Storage::allocate`] makes it from a few numbers.
#[derive(Debug)]
pub struct Storage<'s, P: Profile = Standard> {
    /// Multicast hardware addresses whose frames are taken.
    pub ethernet: ManagedSlice<'s, Option<mirage_ethernet::Group>>,
    /// ARP's cache and the packets that wait for an answer.
    pub arp: mirage_arp::Storage<'s>,
    /// Addresses, routes, and the arena of reassembly.
    pub ipv4: mirage_ipv4::Storage<'s>,
    /// UDP sockets and their datagrams.
    pub udp: mirage_udp::Storage<'s, core::net::Ipv4Addr>,
    /// Multicast groups that routers are told of.
    pub igmp: ManagedSlice<'s, mirage_udp::igmp::GroupSlot>,
    /// TCP connections and their buffers.
    pub tcp: mirage_tcp::Storage<'s, P>,
}

/// How much of everything. The default serves about a thousand connections in 20 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// TCP connections at once.
    pub connections: usize,
    /// Handshakes under way before SYN cookies take over.
    pub half_open: usize,
    /// Closed connections that are remembered.
    pub time_wait: usize,
    /// Doors for connections.
    pub listeners: usize,
    /// Buffer blocks of 2 KiB, shared by all connections.
    pub blocks: usize,
    /// UDP sockets at once.
    pub udp_sockets: usize,
    /// Blocks for datagrams, shared by all sockets.
    pub udp_blocks: usize,
    /// Neighbours whose hardware address is remembered.
    pub neighbours: usize,
    /// Addresses, and as many routes.
    pub addresses: usize,
    /// Multicast groups.
    pub groups: usize,
    /// Blocks of 512 bytes for fragments that wait for others. With 0 there is no room for fragments in either direction.
    pub fragments: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            connections: 2048,
            half_open: 512,
            time_wait: 4096,
            listeners: 16,
            blocks: 8192,
            udp_sockets: 64,
            udp_blocks: 1024,
            neighbours: 256,
            addresses: 4,
            groups: 16,
            fragments: 1024,
        }
    }
}
