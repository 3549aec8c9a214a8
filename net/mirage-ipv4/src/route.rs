//! Where a packet goes next: the longest prefix decides (RFC 1122 §3.3.1, RFC 1812 §5.2.4.3).

use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_protocols::{InterfaceId, Ipv4Cidr, NextHop};

use crate::TableFull;
use crate::address::{Address, Addresses, is_station};
use crate::memo::Memo;
use crate::table::Table;

/// A way to a network beyond those of our own addresses, which need no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network; [`Ipv4Cidr::ANY`] for the default route.
    pub destination: Ipv4Cidr,
    /// The neighbour that forwards there; `None` where the network's stations are neighbours themselves.
    pub gateway: Option<Ipv4Addr>,
    /// The interface that leads there.
    pub interface: InterfaceId,
}

/// The routes, longest prefix first, among equals the older first.
#[derive(Debug)]
pub(crate) struct Routes<'s> {
    routes: Table<'s, Route>,
    /// The last way found. Invariant: follows from the routes and our addresses.
    last: Memo<(Ipv4Addr, Option<InterfaceId>), Way>,
}

impl<'s> Routes<'s> {
    pub(crate) fn new(routes: ManagedSlice<'s, Option<Route>>) -> Self {
        let last = Memo::new((Ipv4Addr::UNSPECIFIED, None), Way::NOWHERE);
        Self { routes: Table::new(routes), last }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    pub(crate) fn add(&mut self, route: Route) -> Result<(), TableFull> {
        self.remove(&route);
        self.routes.insert(route, |other| other.destination.prefix() < route.destination.prefix())
    }

    pub(crate) fn remove(&mut self, route: &Route) -> bool {
        self.routes.remove(|other| is_same(other, route))
    }

    /// Routes or addresses are about to change.
    pub(crate) fn forget(&self) {
        self.last.forget();
    }
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) interface: InterfaceId,
    pub(crate) next: NextHop,
}

impl Hop {
    /// The single station that is next.
    pub(crate) const fn neighbour(self) -> Option<Ipv4Addr> {
        match self.next {
            NextHop::Neighbour(neighbour) => Some(neighbour),
            NextHop::Group(_) | NextHop::Broadcast => None,
        }
    }
}

/// Where a packet goes next, and as whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) hop: Hop,
    /// The first address on the way's interface whose network has the next hop, else the interface's first, else the
    /// first of all. To everybody, 0.0.0.0 while there is none (RFC 2131 §4.1).
    pub(crate) source: Option<Ipv4Addr>,
}

impl Way {
    /// A way that nobody takes.
    const NOWHERE: Self = Self { hop: Hop { interface: InterfaceId(0), next: NextHop::Broadcast }, source: None };
}

/// The way `to` somebody; only by the interface `by` where one is given.
#[inline]
pub(crate) fn way(
    addresses: &Addresses<'_>,
    routes: &Routes<'_>,
    to: Ipv4Addr,
    by: Option<InterfaceId>,
) -> Option<Way> {
    (routes.last.knows((to, by)) || find_way(addresses, routes, to, by)).then(|| routes.last.answer())
}

/// Finds the way and remembers it; whether there is one.
#[inline(never)]
fn find_way(addresses: &Addresses<'_>, routes: &Routes<'_>, to: Ipv4Addr, by: Option<InterfaceId>) -> bool {
    let Some(hop) = find(addresses, routes, to, by) else { return false };
    let nobody = to.is_broadcast().then_some(Ipv4Addr::UNSPECIFIED);
    let source = addresses.source(hop.interface, hop.neighbour().unwrap_or(to)).or(nobody);
    routes.last.keep((to, by), Way { hop, source });
    true
}

fn find(addresses: &Addresses<'_>, routes: &Routes<'_>, to: Ipv4Addr, by: Option<InterfaceId>) -> Option<Hop> {
    if !is_station(to) {
        return hop_to_many(addresses, routes, to, by);
    }
    let mut longest = Longest { to, by, prefix: None, hop: None };
    for &Address { cidr, interface } in addresses.iter() {
        if cidr.address() == to {
            // It would have to come back up; this stack has no loopback interface.
            return None;
        }
        let next = if cidr.broadcast() == Some(to) { NextHop::Broadcast } else { NextHop::Neighbour(to) };
        longest.consider(&cidr, Hop { interface, next });
    }
    for &Route { destination, gateway, interface } in routes.iter() {
        longest.consider(&destination, Hop { interface, next: NextHop::Neighbour(gateway.unwrap_or(to)) });
    }
    longest.hop
}

/// The hop by the longest prefix seen so far.
struct Longest {
    to: Ipv4Addr,
    by: Option<InterfaceId>,
    prefix: Option<u8>,
    hop: Option<Hop>,
}

impl Longest {
    /// Of two equally long ones the first stays.
    #[inline(never)]
    fn consider(&mut self, cidr: &Ipv4Cidr, hop: Hop) {
        let longer = self.prefix.is_none_or(|longest| cidr.prefix() > longest);
        if longer && cidr.contains(self.to) && self.by.is_none_or(|by| by == hop.interface) {
            (self.prefix, self.hop) = (Some(cidr.prefix()), Some(hop));
        }
    }
}

/// The way to everybody or to a group. Without a route for the group it leaves by the interface of the first address,
/// and before there is one (DHCP) by the first interface.
#[cold]
fn hop_to_many(addresses: &Addresses<'_>, routes: &Routes<'_>, to: Ipv4Addr, by: Option<InterfaceId>) -> Option<Hop> {
    let first = || addresses.iter().next().map_or(InterfaceId(0), |address| address.interface);
    if to.is_broadcast() {
        return Some(Hop { interface: by.unwrap_or_else(first), next: NextHop::Broadcast });
    }
    if !to.is_multicast() {
        return None;
    }
    let routed = || routes.iter().find(|route| route.destination.contains(to)).map(|route| route.interface);
    Some(Hop { interface: by.or_else(routed).unwrap_or_else(first), next: NextHop::Group(to) })
}

/// Whether two entries lead to the same network by the same interface, maybe by another gateway.
fn is_same(a: &Route, b: &Route) -> bool {
    a.interface == b.interface
        && a.destination.prefix() == b.destination.prefix()
        && a.destination.network() == b.destination.network()
}
