//! What the packets of a flow have in common.

use core::net::Ipv4Addr;

use mirage_protocols::{InterfaceId, NextHop, Protocol};

use crate::Outbound;
use crate::route::{Hop, way};

/// What is the same for each packet from one address to another with one protocol. It is found once and kept: most packets
/// are of the flow of the one before.
#[derive(Debug)]
pub(crate) struct Flow {
    key: Key,
    /// As of which change of routes and addresses it holds.
    changes: u32,
    pub(crate) hop: Hop,
    /// Hops to live where a packet does not say.
    pub(crate) ttl: u8,
    /// Sum of both addresses and the protocol.
    pub(crate) sum: u64,
    /// Where the identifications of this flow begin.
    pub(crate) hash: u64,
}

/// What tells flows from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    addresses: u64,
    protocol: u8,
    by: Option<InterfaceId>,
}

impl Key {
    #[inline]
    pub(crate) fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, by: Option<InterfaceId>) -> Self {
        Self { addresses: addresses(source, destination), protocol: protocol.0, by }
    }
}

impl Flow {
    /// No flow yet.
    pub(crate) const NONE: Self = Self {
        key: Key { addresses: 0, protocol: 0, by: None },
        changes: u32::MAX,
        hop: Hop { interface: InterfaceId(0), next: NextHop::Broadcast },
        ttl: 0,
        sum: 0,
        hash: 0,
    };

    /// Whether it is this one, and nothing has changed that it is made of.
    #[inline]
    pub(crate) fn is(&self, key: Key, changes: u32) -> bool {
        self.key == key && self.changes == changes
    }
}

impl Outbound<'_, '_> {
    /// Makes this flow the last one; whether there is a way.
    #[inline(never)]
    pub(crate) fn find_flow(
        &mut self,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        protocol: Protocol,
        by: Option<InterfaceId>,
    ) -> bool {
        let key = Key::new(source, destination, protocol, by);
        let (known, sender) = (self.known, &mut *self.sender);
        let Some(way) = way(&known.addresses, &known.routes, destination, by) else {
            return false;
        };
        sender.flow = Flow {
            key,
            changes: known.routes.changes(),
            hop: way.hop,
            ttl: if matches!(way.hop.next, NextHop::Group(_)) { 1 } else { known.config.ttl },
            sum: u64::from(source.to_bits()) + u64::from(destination.to_bits()) + (u64::from(protocol.0) << 16),
            hash: sender.identification.hash(key.addresses, key.protocol),
        };
        true
    }
}

/// Two addresses in one number.
#[inline]
pub(crate) fn addresses(one: Ipv4Addr, two: Ipv4Addr) -> u64 {
    u64::from(one.to_bits()) << 32 | u64::from(two.to_bits())
}
