//! What the packets of a flow have in common.

use core::net::Ipv4Addr;

use mirage_protocols::{InterfaceId, NextHop, Protocol};

use crate::Outbound;
use crate::route::{Hop, way};
use crate::wire::NO_OPTIONS;

/// What is the same for each packet from one address to another with one protocol. It is found once and kept: most packets
/// are of the flow of the one before. Whoever changes addresses or routes makes it [`forget`](Self::forget).
#[derive(Debug)]
pub(crate) struct Flow {
    key: Key,
    pub(crate) hop: Hop,
    /// Hops to live where a packet does not say.
    pub(crate) ttl: u8,
    /// Sum of what all headers have: version, `ttl`, protocol and both addresses.
    pub(crate) sum: u64,
    /// Where the identifications of this flow begin.
    pub(crate) hash: u64,
}

/// What tells flows from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: Protocol,
    by: By,
}

/// By which interface packets go: one, or whichever the routes choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct By(u16);

impl By {
    /// Whichever the routes choose.
    pub(crate) const ROUTE: Self = Self(0);
    /// What no packet asks for.
    const NOTHING: Self = Self(u16::MAX);

    #[inline]
    pub(crate) const fn interface(InterfaceId(number): InterfaceId) -> Self {
        Self(0x100 | number as u16)
    }

    #[inline]
    pub(crate) fn only(self) -> Option<InterfaceId> {
        (self != Self::ROUTE).then_some(InterfaceId(self.0 as u8))
    }
}

impl Key {
    #[inline]
    pub(crate) fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, by: By) -> Self {
        Self { source, destination, protocol, by }
    }
}

impl Flow {
    /// No flow yet.
    pub(crate) const NONE: Self = Self {
        key: Key {
            source: Ipv4Addr::UNSPECIFIED,
            destination: Ipv4Addr::UNSPECIFIED,
            protocol: Protocol(0),
            by: By::NOTHING,
        },
        hop: Hop { interface: InterfaceId(0), next: NextHop::Broadcast },
        ttl: 0,
        sum: 0,
        hash: 0,
    };

    /// Whether it is this one.
    #[inline]
    pub(crate) fn is(&self, key: Key) -> bool {
        self.key == key
    }

    /// What it is made of is about to change.
    pub(crate) fn forget(&mut self) {
        self.key.by = By::NOTHING;
    }
}

impl Outbound<'_, '_> {
    /// Makes this flow the last one; whether there is a way.
    #[inline(never)]
    pub(crate) fn find_flow(&mut self, source: Ipv4Addr, destination: Ipv4Addr, protocol: Protocol, by: By) -> bool {
        let (known, sender) = (self.known, &mut *self.sender);
        let Some(way) = way(&known.addresses, &known.routes, destination, by.only()) else {
            return false;
        };
        let ttl = if matches!(way.hop.next, NextHop::Group(_)) { 1 } else { known.config.ttl };
        sender.flow = Flow {
            key: Key::new(source, destination, protocol, by),
            hop: way.hop,
            ttl,
            sum: u64::from(source.to_bits())
                + u64::from(destination.to_bits())
                + u64::from(u32::from_be_bytes([NO_OPTIONS, 0, 0, 0]))
                + u64::from(u32::from_be_bytes([ttl, protocol.0, 0, 0])),
            hash: sender.identification.hash(source, destination, protocol.0),
        };
        true
    }
}
