//! The machine: what comes in, what times out, and who we are.

use core::fmt;
use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, InterfaceId, Ipv4Cidr, Neighbours};

use crate::address::{Address, Addresses, Group};
use crate::config::{Config, Storage, TableFull};
use crate::discard::{Discard, Discards};
use crate::flow::Flow;
use crate::fragment::Fragments;
use crate::identification::Identification;
use crate::reassembly::Reassembly;
use crate::route::{Route, Routes};
use crate::{Expired, Inbound, Incoming, Ipv4Over, Outbound};

/// The IPv4 layer of a host with any number of interfaces. It forwards nothing.
///
/// It names neither clock nor device: each call is told the time and lent the layer below.
pub struct Ipv4<'s> {
    known: Known<'s>,
    sender: Sender<'s>,
    receiver: Receiver<'s>,
}

/// What both halves go by.
pub(crate) struct Known<'s> {
    pub(crate) config: Config,
    pub(crate) addresses: Addresses<'s>,
    pub(crate) routes: Routes<'s>,
}

/// What only the sending half changes.
pub(crate) struct Sender<'s> {
    pub(crate) identification: Identification,
    pub(crate) flow: Flow,
    pub(crate) fragments: Fragments<'s>,
}

/// What only the receiving half changes.
pub(crate) struct Receiver<'s> {
    /// Invariant: there exactly if the configuration has fragmentation.
    pub(crate) reassembly: Option<Reassembly<'s>>,
    pub(crate) discards: Discards,
}

impl Receiver<'_> {
    #[inline]
    pub(crate) fn poll_expired(&mut self, config: &Config, now: Instant) -> Option<Expired<'_>> {
        let (Some(verbs), Some(reassembly)) = (config.fragmentation.0, &mut self.reassembly) else { return None };
        match reassembly.poll_timeout() {
            Some(oldest) if oldest <= now => (verbs.poll_expired)(reassembly, now),
            _ => None,
        }
    }
}

impl<'s> Ipv4<'s> {
    /// A layer without addresses and routes, in the memory that `storage` lends. `secret` is random and new at each
    /// boot: it keeps strangers from guessing identifications and from filling one bucket of the reassembly's table.
    #[inline(never)]
    pub fn new(config: Config, storage: Storage<'s>, secret: [u8; 16]) -> Self {
        Self {
            known: Known {
                config,
                addresses: Addresses::new(storage.addresses, storage.groups),
                routes: Routes::new(storage.routes),
            },
            sender: Sender {
                identification: Identification::new(&secret),
                flow: Flow::NONE,
                fragments: Fragments::new(storage.fragments_out),
            },
            receiver: Receiver {
                reassembly: config
                    .fragmentation
                    .0
                    .map(|verbs| (verbs.new)(storage.reassembly, storage.assembly, config.limits, &secret)),
                discards: Discards::default(),
            },
        }
    }

    /// Takes a packet that came in on `interface`. `link_cast` is whom the frame was for; `checksum` and `segment_size`
    /// are what the device said of it. Gives what lies in it if it is for us and whole; `None` when it is a fragment
    /// that was kept. A datagram that it completes lies in the lent assembly buffer until the next call.
    ///
    /// The header's checksum is always verified, whatever the device says of the transport's.
    ///
    /// # Errors
    /// [`Discard`]: what was wrong with it; it was counted.
    #[inline]
    pub fn input<'p>(
        &'p mut self,
        now: Instant,
        interface: InterfaceId,
        link_cast: Cast,
        packet: &'p [u8],
        checksum: ReceivedChecksum,
        segment_size: Option<NonZeroU16>,
    ) -> Result<Option<Incoming<'p>>, Discard> {
        let (inbound, _) = self.split();
        inbound.input(now, interface, link_cast, packet, checksum, segment_size)
    }

    /// Both directions at once: a packet that was just taken out of fragments still lies in the receiving half while the
    /// sending half answers it.
    #[inline]
    pub fn split(&mut self) -> (Inbound<'_, 's>, Outbound<'_, 's>) {
        let Self { known, sender, receiver } = self;
        (Inbound { known, receiver }, Outbound { known, sender })
    }

    /// Forgets the datagrams that did not come together in time, up to one whose sender shall be told so by ICMP
    /// (time exceeded, code 1). Call it until it gives `None`.
    pub fn poll_expired(&mut self, now: Instant) -> Option<Expired<'_>> {
        self.receiver.poll_expired(&self.known.config, now)
    }

    /// When [`poll_expired`](Self::poll_expired) or [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reassembly = self.receiver.reassembly.as_ref().and_then(Reassembly::poll_timeout);
        match (reassembly, self.sender.fragments.poll_timeout()) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }

    /// Whether [`poll_expired`](Self::poll_expired) or [`poll_transmit`](Self::poll_transmit) may have something to do: fragments
    /// that wait for their neighbour want nothing until their time has come.
    #[inline]
    pub fn is_due(&self, now: Instant) -> bool {
        let oldest = self.receiver.reassembly.as_ref().and_then(Reassembly::poll_timeout);
        !self.sender.fragments.is_empty() || oldest.is_some_and(|oldest| oldest <= now)
    }

    /// Does what is due. Datagrams that timed out are forgotten without a word: call
    /// [`poll_expired`](Self::poll_expired) before to tell their senders.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.poll_expired(now).is_some() {}
        self.sender.fragments.handle_timeout(now);
    }

    /// Whether fragments wait to leave by [`poll_transmit`](Self::poll_transmit).
    #[inline]
    pub fn wants_transmit(&self) -> bool {
        self.sender.fragments.wants_transmit()
    }

    /// Sends the fragments for which the device had no room before.
    pub fn poll_transmit(&mut self, now: Instant, neighbours: impl Neighbours) {
        self.over(neighbours).poll_transmit(now);
    }

    /// The layer with its links, lent or given: what ICMP, UDP and TCP send on.
    #[inline]
    pub fn over<N: Neighbours>(&mut self, neighbours: N) -> Ipv4Over<'_, 's, N> {
        let (_, outbound) = self.split();
        Ipv4Over::new(outbound, neighbours)
    }

    /// Adds an address, or changes the prefix of one. The first address of an interface is the one to send from where
    /// none is on the next hop's network.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn add_address(&mut self, interface: InterfaceId, cidr: Ipv4Cidr) -> Result<(), TableFull> {
        self.forget_ways();
        self.known.addresses.add(Address { cidr, interface })
    }

    /// Takes an address away, whatever its prefix; whether there was one.
    pub fn remove_address(&mut self, interface: InterfaceId, address: Ipv4Addr) -> bool {
        self.forget_ways();
        self.known.addresses.remove(interface, address)
    }

    /// Our addresses in the order in which they were added.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.known.addresses.iter().copied()
    }

    /// Whether `address` is one of ours, on whatever interface.
    #[inline]
    pub fn is_local(&self, address: Ipv4Addr) -> bool {
        self.known.addresses.has(address)
    }

    /// Adds a route, or changes the gateway of the one to the same network by the same interface.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn add_route(&mut self, route: Route) -> Result<(), TableFull> {
        self.forget_ways();
        self.known.routes.add(route)
    }

    /// Takes away the route to the same network by the same interface, whatever its gateway; whether there was one.
    pub fn remove_route(&mut self, route: Route) -> bool {
        self.forget_ways();
        self.known.routes.remove(&route)
    }

    /// The routes, longest prefix first.
    pub fn routes(&self) -> impl Iterator<Item = Route> {
        self.known.routes.iter().copied()
    }

    /// Listens to a group on an interface. Routers are not told: that is IGMP's part.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn join(&mut self, interface: InterfaceId, group: Ipv4Addr) -> Result<(), TableFull> {
        self.known.addresses.join(Group { group, interface })
    }

    /// Listens to a group no longer; whether it did.
    pub fn leave(&mut self, interface: InterfaceId, group: Ipv4Addr) -> bool {
        self.known.addresses.leave(Group { group, interface })
    }

    /// Whatever ways are made of is about to change.
    fn forget_ways(&mut self) {
        self.known.routes.forget();
        self.sender.flow.forget();
    }

    /// What was dropped, by reason.
    pub fn discards(&self) -> &Discards {
        &self.receiver.discards
    }

    /// How many of the lent blocks hold something now.
    pub fn blocks_in_use(&self) -> usize {
        self.receiver.reassembly.as_ref().map_or(0, Reassembly::blocks_in_use)
    }
}

impl fmt::Debug for Ipv4<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ipv4")
            .field("addresses", &self.known.addresses)
            .field("routes", &self.known.routes)
            .field("blocks_in_use", &self.blocks_in_use())
            .finish_non_exhaustive()
    }
}
