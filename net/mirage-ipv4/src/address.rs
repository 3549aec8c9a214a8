//! Who we are: whether a packet is for us, and whether its sender can be who it says.

use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_protocols::{Cast, InterfaceId, Ipv4Cidr};

use crate::memo::Memo;
use crate::table::Table;
use crate::{Discard, TableFull};

/// An address of ours on an interface. Its network is reached there without a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address with the length of its network's prefix.
    pub cidr: Ipv4Cidr,
    /// The interface it is on.
    pub interface: InterfaceId,
}

/// A multicast group that we listen to on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub group: Ipv4Addr,
    /// The interface on which it was joined.
    pub interface: InterfaceId,
}

/// Our addresses and groups.
#[derive(Debug)]
pub(crate) struct Addresses<'s> {
    addresses: Table<'s, Address>,
    groups: Table<'s, Group>,
    /// Who was let in last. Invariant: follows from the tables.
    last: Memo<Arrival, Cast>,
}

impl<'s> Addresses<'s> {
    pub(crate) fn new(addresses: ManagedSlice<'s, Option<Address>>, groups: ManagedSlice<'s, Option<Group>>) -> Self {
        Self {
            addresses: Table::new(addresses),
            groups: Table::new(groups),
            last: Memo::new(Arrival::NONE, Cast::Unicast),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter()
    }

    pub(crate) fn add(&mut self, address: Address) -> Result<(), TableFull> {
        self.remove(address.interface, address.cidr.address());
        self.addresses.insert(address, |_| false)
    }

    pub(crate) fn remove(&mut self, interface: InterfaceId, address: Ipv4Addr) -> bool {
        self.last.forget();
        self.addresses.remove(|old| old.interface == interface && old.cidr.address() == address)
    }

    pub(crate) fn join(&mut self, group: Group) -> Result<(), TableFull> {
        self.leave(group);
        self.groups.insert(group, |_| false)
    }

    pub(crate) fn leave(&mut self, group: Group) -> bool {
        self.last.forget();
        self.groups.remove(|joined| *joined == group)
    }

    /// Whether `address` is one of ours, on whatever interface.
    #[inline(never)]
    pub(crate) fn has(&self, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|ours| ours.cidr.address() == address)
    }

    /// What [`examine`](Self::examine) would say again.
    #[inline]
    pub(crate) fn recall(&self, arrival: Arrival) -> Option<Cast> {
        self.last.knows(arrival).then(|| self.last.answer())
    }

    /// Whom a packet goes to, if that includes us and its source is no nonsense.
    #[inline(never)]
    pub(crate) fn examine(&self, arrival: Arrival, accept_any: bool) -> Result<Cast, Discard> {
        let Arrival { interface, link_cast, source, destination } = arrival;
        let mut cast = None;
        for address in self.addresses.iter() {
            let ours = address.cidr.address();
            let broadcast = if address.interface == interface { address.cidr.broadcast() } else { None };
            if source == ours {
                return Err(Discard::OwnSource);
            }
            if broadcast == Some(source) {
                return Err(Discard::BadSource);
            }
            if destination == ours {
                cast = Some(Cast::Unicast);
            } else if broadcast == Some(destination) {
                cast = Some(Cast::Broadcast);
            }
        }
        let cast = match cast {
            Some(cast) => cast,
            None => self.admit_others(interface, destination, accept_any).ok_or(Discard::NotForUs)?,
        };
        // Nobody has no address unless it asks everybody for one (RFC 1122 §3.2.1.3 (a)).
        let may_be_nobody = cast != Cast::Unicast;
        if !(is_station(source) || may_be_nobody && source.is_unspecified()) {
            return Err(Discard::BadSource);
        }
        if cast == Cast::Unicast && link_cast != Cast::Unicast {
            return Err(Discard::UnicastInBroadcast);
        }
        self.last.keep(arrival, cast);
        Ok(cast)
    }

    /// Whom a packet goes to that is neither for an address of ours nor for one of our networks.
    fn admit_others(&self, interface: InterfaceId, destination: Ipv4Addr, accept_any: bool) -> Option<Cast> {
        if destination.is_broadcast() {
            Some(Cast::Broadcast)
        } else if destination.is_multicast() {
            let joined = destination == ALL_SYSTEMS
                || self.groups.iter().any(|joined| joined.group == destination && joined.interface == interface);
            joined.then_some(Cast::Multicast)
        } else {
            (accept_any && is_station(destination)).then_some(Cast::Unicast)
        }
    }

    /// The address to send from on `interface` when the next hop is `to`.
    pub(crate) fn source(&self, interface: InterfaceId, to: Ipv4Addr) -> Option<Ipv4Addr> {
        let mut best = (0, None);
        for Address { cidr, interface: other } in self.addresses.iter() {
            let rank = if *other != interface { 1 } else { 2 + u8::from(cidr.contains(to)) };
            if rank > best.0 {
                best = (rank, Some(cidr.address()));
            }
        }
        best.1
    }
}

/// What decides whether a packet is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) interface: InterfaceId,
    pub(crate) link_cast: Cast,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
}

impl Arrival {
    const NONE: Self = Self {
        interface: InterfaceId(0),
        link_cast: Cast::Unicast,
        source: Ipv4Addr::UNSPECIFIED,
        destination: Ipv4Addr::UNSPECIFIED,
    };
}

/// Whether a single station on a network can have this address: not 0/8, 127/8, a group, or of the future.
pub(crate) const fn is_station(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first != 0 && first != 127 && first < 224
}

/// Every host is in this group (RFC 1112 §4).
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
