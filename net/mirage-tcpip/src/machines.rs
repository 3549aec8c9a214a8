//! The machines of all layers side by side, and what they do on time.

use core::net::{IpAddr, Ipv4Addr};
use core::task::Waker;

use mirage_arp::{Arp, Claim, Event, UnresolvedPacket};
use mirage_clock::Instant;
use mirage_ethernet::Ethernet;
use mirage_icmp::Icmp;
use mirage_ipv4::{Ipv4, Route};
use mirage_net::{MacAddress, Stats};
use mirage_protocols::{Counts, IcmpError, InterfaceId, Ipv4Cidr, Protocol, Reason};
use mirage_tcp::{Profile, Secrets, Tcp};
use mirage_udp::Udp;
use mirage_udp::igmp::Igmp;
use rand_core::CryptoRng;

use crate::alike::Alike;
use crate::counters::Counted;
use crate::datagrams::Datagrams;
use crate::rounds::Rounds;
use crate::{Config, ErrorKind, Storage, unresolved};

/// The stack's only interface.
pub(crate) const INTERFACE: InterfaceId = InterfaceId(0);

/// Fragments of the longest datagram at an MTU of 1,500: even that may be the first for a neighbour.
const LONGEST_DATAGRAM: u16 = 45;

/// The machines of all layers. None knows another: the walk lends each what it needs.
pub(crate) struct Machines<'s, P: Profile> {
    pub(crate) ethernet: Ethernet<'s>,
    pub(crate) arp: Arp<'s>,
    pub(crate) ipv4: Ipv4<'s>,
    pub(crate) icmp: Icmp,
    pub(crate) igmp: Igmp<'s>,
    pub(crate) udp: Udp<'s, Ipv4Addr>,
    pub(crate) tcp: Tcp<'s, P>,
    /// `None` until there is a socket.
    pub(crate) datagrams: Option<Datagrams>,
    /// Who polls the stack, unless he was woken since.
    pub(crate) driver: Option<Waker>,
    /// Never 0.
    pub(crate) budget: usize,
    pub(crate) rounds: Rounds,
    /// The last frame that went straight to TCP.
    pub(crate) alike: Alike,
    /// Whose turn it is on the way out: UDP's or TCP's.
    pub(crate) datagrams_first: bool,
    /// How many datagrams may still be sent at once, rather than queued, before the next poll: who sends without end shall
    /// let others have their turn.
    pub(crate) at_once: usize,
    /// When the stack was polled last: what handles go by.
    pub(crate) now: Instant,
    /// The first deadline as the last poll left it, or [`Instant::MAX`]. One that a handle has set since is seen at the end
    /// of the next.
    next: Instant,
    /// The first deadline of the layers below TCP, as of when they were last stirred up.
    next_below_tcp: Instant,
    /// Whether the layers below TCP may have something to do.
    pub(crate) stirred: Stirred,
    pub(crate) ethernet_discards: Counts<mirage_ethernet::Discard, { mirage_ethernet::Discard::ALL.len() }>,
    pub(crate) arp_discards: Counts<mirage_arp::Discard, { mirage_arp::Discard::ALL.len() }>,
    pub(crate) discards: Counts<Discard, { Discard::ALL.len() }>,
}

/// Whether something other than TCP's usual traffic happened to the layers below it: then it is to be asked whether they have
/// something to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stirred(u8);

impl Stirred {
    const ALL: Self = Self(Self::SINCE | Self::BEFORE);
    /// Since the poll that runs began, or since the last one.
    const SINCE: u8 = 1;
    /// When the poll that runs began: until it ends, that is being looked at.
    const BEFORE: u8 = 2;

    /// Something happened.
    pub(crate) fn stir(&mut self) {
        self.0 |= Self::SINCE;
    }

    /// Something happened, if so.
    #[inline]
    pub(crate) fn stir_if(&mut self, happened: bool) {
        self.0 |= u8::from(happened);
    }

    /// Whether something did, as far as the poll that runs knows.
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    /// A poll begins to look at what happened, or at what is `due`.
    fn begin(&mut self, due: bool) {
        if due || self.any() {
            self.0 = Self::BEFORE;
        }
    }

    /// Whether it does.
    fn begun(self) -> bool {
        self.0 & Self::BEFORE != 0
    }

    /// It has looked.
    fn end(&mut self) {
        self.0 &= !Self::BEFORE;
    }
}

mirage_protocols::reasons! {
    /// Why the stack itself dropped a packet.
    pub enum Discard {
        /// A frame of a protocol that is not spoken here.
        UnknownEthertype = "unknown_ethertype",
        /// A packet of a protocol that is not spoken here.
        UnknownProtocol = "unknown_protocol",
        /// ICMP for an address that is not ours, at a stack that takes packets for every address.
        IcmpForOthers = "icmp_for_others",
    }
}

impl<'s, P: Profile> Machines<'s, P> {
    #[inline(never)]
    pub(crate) fn new(mac: MacAddress, config: Config, storage: Storage<'s, P>, random: &mut impl CryptoRng) -> Self {
        let mut secret = || {
            let mut secret = [0; 16];
            random.fill_bytes(&mut secret);
            secret
        };
        let (arp, ipv4, icmp, udp, igmp) = (secret(), secret(), secret(), secret(), secret());
        let mut tcp = [0; 64];
        random.fill_bytes(&mut tcp);
        let arp_config = mirage_arp::Config {
            lifetime: config.arp_lifetime,
            answer_for_all: config.accept_any,
            max_pending: LONGEST_DATAGRAM,
            ..mirage_arp::Config::new(mac)
        };
        let ipv4_config = mirage_ipv4::Config {
            accept_any: config.accept_any,
            limits: config.reassembly,
            ..mirage_ipv4::Config::new(config.fragmentation)
        };
        Self {
            ethernet: Ethernet::new(mac, config.vlan, storage.ethernet),
            arp: Arp::new(arp_config, storage.arp, arp),
            ipv4: Ipv4::new(ipv4_config, storage.ipv4, ipv4),
            icmp: Icmp::new(config.icmp, icmp),
            igmp: Igmp::new(storage.igmp, igmp),
            udp: Udp::new(config.udp, storage.udp, udp),
            tcp: Tcp::new(config.tcp, storage.tcp, Secrets::new(tcp)),
            datagrams: None,
            driver: None,
            budget: config.budget.max(1),
            rounds: Rounds::new(),
            alike: Alike::NONE,
            datagrams_first: false,
            at_once: 0,
            now: Instant::ZERO,
            next: Instant::ZERO,
            next_below_tcp: Instant::ZERO,
            stirred: Stirred::ALL,
            ethernet_discards: Counts::default(),
            arp_discards: Counts::default(),
            discards: Counts::default(),
        }
    }

    /// Remembers who polls the stack.
    #[inline]
    pub(crate) fn attend(&mut self, waker: &Waker) {
        if !self.driver.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.driver = Some(waker.clone());
        }
    }

    #[inline(never)]
    pub(crate) fn add_address(&mut self, address: Ipv4Cidr) -> Result<(), ErrorKind> {
        self.ipv4.add_address(INTERFACE, address).map_err(|_| ErrorKind::OutOfResources)?;
        self.arp.add_address(self.now, address.address(), Claim::AtOnce).map_err(|_| ErrorKind::OutOfResources)
    }

    #[inline(never)]
    pub(crate) fn set_gateway(&mut self, gateway: Ipv4Addr) -> Result<(), ErrorKind> {
        let route = Route { destination: Ipv4Cidr::ANY, gateway: Some(gateway), interface: INTERFACE };
        self.ipv4.add_route(route).map_err(|_| ErrorKind::OutOfResources)
    }

    /// Whether sockets may be bound to `address`.
    pub(crate) fn is_local(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.ipv4.is_local(address),
            IpAddr::V6(_) => false,
        }
    }

    /// When the first timer of any layer is due: what a poll ends with.
    #[inline]
    pub(crate) fn find_next(&mut self) -> Instant {
        if self.stirred.any() {
            self.next_below_tcp = self.poll_timeout_below_tcp();
            self.stirred.end();
        }
        self.next = self.tcp.poll_timeout().unwrap_or(Instant::MAX).min(self.next_below_tcp);
        self.next
    }

    #[inline(never)]
    fn poll_timeout_below_tcp(&self) -> Instant {
        let at = |at: Option<Instant>| at.unwrap_or(Instant::MAX);
        at(self.arp.poll_timeout()).min(at(self.ipv4.poll_timeout())).min(at(self.igmp.poll_timeout()))
    }

    /// Does what is due, except that which sends packets itself: the walk outwards does that. What a poll begins with.
    #[inline]
    pub(crate) fn handle_timeouts(&mut self, now: Instant) {
        self.at_once = self.budget;
        if self.next <= now || self.stirred.any() {
            self.look(now);
        }
    }

    /// The same when something is due, or the layers below TCP may have something to do.
    #[inline(never)]
    fn look(&mut self, now: Instant) {
        let due = self.next <= now;
        self.stirred.begin(due);
        if due {
            self.tcp.handle_timeout(now);
            self.arp.handle_timeout(now);
            self.igmp.handle_timeout(now);
        }
        if self.stirred.begun() && self.arp.has_events() {
            self.hear_of_neighbours(now);
        }
    }

    #[cold]
    fn hear_of_neighbours(&mut self, now: Instant) {
        let Self { arp, udp, tcp, datagrams, .. } = self;
        let mut lost = |_: Event, packet: Option<UnresolvedPacket<'_>>| {
            let Some(error) = packet.and_then(unresolved::error) else { return };
            tell(tcp, udp, *datagrams, now, &error);
        };
        // A conflict needs nothing more: ARP has defended the address and counted it.
        while arp.poll_event(&mut lost).is_some() {}
    }

    pub(crate) fn counted(&self, device: Stats) -> Counted<'_> {
        Counted::new(self, device)
    }
}

/// Tells the layer that sent a packet what became of it. What it drops it counts.
#[inline(never)]
pub(crate) fn tell<P: Profile>(
    tcp: &mut Tcp<'_, P>,
    udp: &mut Udp<'_, Ipv4Addr>,
    datagrams: Option<Datagrams>,
    now: Instant,
    error: &IcmpError<'_>,
) {
    match (error.protocol, datagrams) {
        (Protocol::TCP, _) => drop(tcp.on_icmp_error(now, error)),
        (Protocol::UDP, Some(datagrams)) => (datagrams.on_icmp_error)(udp, error),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_while_a_poll_looks_is_left_for_the_next() {
        let mut stirred = Stirred(0);
        stirred.begin(false);
        assert!(!stirred.begun(), "nothing happened and nothing is due");
        stirred.stir();
        stirred.begin(false);
        assert!(stirred.begun());
        stirred.stir_if(false);
        stirred.end();
        assert!(!stirred.any(), "all was looked at");
        stirred.begin(true);
        stirred.stir_if(true);
        stirred.end();
        assert!(stirred.any() && !stirred.begun());
        stirred.begin(false);
        assert!(stirred.begun());
    }
}
