//! The straight way for packets like the one before takes less time and does nothing else: a host that goes it says and hears
//! what one does that never goes it, whatever happens in between.

mod common;

use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use common::*;
use mirage_ipv4::{Config, Fragmentation, Ipv4, Route};
use mirage_net::{Capabilities, FrameWriter, Outgoing, PartialChecksum, ReceivedChecksum, SendError};
use mirage_protocols::{
    Cast, Ecn, HopPacket, InterfaceId, Ip, Ipv4Cidr, LinkHeader, Neighbours, NextHop, Packet, Protocol, Received,
};
use proptest::prelude::*;

/// Links that know their neighbours, and say so.
struct Known {
    links: Links,
    /// Whether packets to neighbours may go without a question.
    fresh: bool,
    /// How many frames came whole.
    frames: usize,
}

impl Known {
    /// No two neighbours have the same, wherever they are.
    fn header_of(interface: InterfaceId, neighbour: Ipv4Addr) -> LinkHeader {
        let [a, b, c, d] = neighbour.octets();
        LinkHeader([2, interface.0, a, b, c, d, 2, 0, 0, 0, 0, 1, 8, 0])
    }
}

impl Neighbours for Known {
    fn mtu(&self, interface: InterfaceId) -> usize {
        self.links.mtu(interface)
    }
    fn capabilities(&self, interface: InterfaceId) -> Capabilities {
        self.links.capabilities(interface)
    }
    fn send(
        &mut self,
        interface: InterfaceId,
        packet: HopPacket,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        self.links.send(interface, packet, fill)
    }
    fn header(&self, interface: InterfaceId, neighbour: Ipv4Addr) -> Option<LinkHeader> {
        self.fresh.then(|| Self::header_of(interface, neighbour))
    }
    fn send_frame(
        &mut self,
        interface: InterfaceId,
        frame: Outgoing,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        let mut buffer = vec![0xdd; frame.len];
        // The packet goes on as if it had come with its next hop.
        let len = frame.len - LinkHeader::LEN;
        let checksum = frame.checksum.map(|sum| PartialChecksum { start: sum.start - LinkHeader::LEN as u16, ..sum });
        let mut packet = HopPacket { to: NextHop::Broadcast, len, checksum, segment_size: frame.segment_size };
        if self.links.room == 0 {
            return Err(self.links.refusal);
        }
        let written = FrameWriter::fill(&mut buffer, fill).expect("no more is written than announced");
        assert_eq!(written.len(), frame.len, "another length than announced");
        let neighbour = Ipv4Addr::from(<[u8; 4]>::try_from(&written[2..6]).unwrap());
        assert_eq!(written[..14], Self::header_of(interface, neighbour).0);
        packet.to = NextHop::Neighbour(neighbour);
        let bytes = &written[14..];
        self.frames += 1;
        self.links.send(interface, packet, |writer| writer.put(bytes))
    }
}

/// What a transport sends.
#[derive(Clone, Debug)]
struct Order {
    source: usize,
    to: usize,
    protocol: u8,
    len: usize,
    dont_fragment: bool,
    ttl: Option<u8>,
    router_alert: bool,
    ecn: Ecn,
    checksum: bool,
    segment_size: Option<u16>,
    by: Option<u8>,
}

impl Order {
    fn packet(&self) -> Packet {
        let (source, to) = (ip(SOURCES[self.source]), ip(DESTINATIONS[self.to]));
        Packet {
            dont_fragment: self.dont_fragment,
            ttl: self.ttl,
            router_alert: self.router_alert,
            ecn: self.ecn,
            checksum: self.checksum.then_some(PartialChecksum { start: 0, offset: 6 }),
            segment_size: self.segment_size.and_then(NonZeroU16::new),
            ..Packet::new(source, to, Protocol(self.protocol), self.len)
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// So many packets of a kind.
    Send(Order, usize),
    AddAddress(u8, &'static str),
    RemoveAddress(u8, &'static str),
    AddRoute(&'static str, Option<&'static str>, u8),
    RemoveRoute(&'static str, u8),
    Mtu(usize),
    /// How many packets the links take, and what they say then.
    Room(usize, SendError),
    Fresh(bool),
}

const DESTINATIONS: [&str; 6] = ["10.0.0.1", "10.0.0.9", "10.7.0.9", "192.0.2.1", "255.255.255.255", "239.1.2.3"];
const SOURCES: [&str; 2] = ["10.0.0.2", "10.7.0.2"];
const NETWORKS: [&str; 4] = ["10.0.0.2/24", "10.7.0.2/16", "10.0.0.9/24", "10.0.0.3/8"];
const ROUTES: [&str; 3] = ["0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/28"];
const GATEWAYS: [&str; 3] = ["10.0.0.254", "10.0.0.253", "10.7.0.254"];

fn order() -> impl Strategy<Value = Order> {
    let usual = (0_usize..2, prop_oneof![4 => Just(0_usize), 1 => 0_usize..6], prop_oneof![Just(6_u8), Just(17)]);
    let len = prop_oneof![4 => 0_usize..1400, 1 => 1400_usize..1600, 1 => 1600_usize..66_000];
    let rare = (prop::option::weighted(0.1, any::<u8>()), prop::bool::weighted(0.1), prop::bool::weighted(0.2));
    let ecn = prop_oneof![Just(Ecn::NotCapable), Just(Ecn::Capable0)];
    let more = (prop::option::weighted(0.1, 1_u16..2000), prop::option::weighted(0.1, 0_u8..2));
    (usual, len, any::<bool>(), rare, ecn, more).prop_map(
        |((source, to, protocol), len, dont_fragment, (ttl, router_alert, checksum), ecn, (segment_size, by))| Order {
            source,
            to,
            protocol,
            len,
            dont_fragment,
            ttl,
            router_alert,
            ecn,
            checksum,
            segment_size,
            by,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let network = prop::sample::select(&NETWORKS[..]);
    let route = prop::sample::select(&ROUTES[..]);
    let gateway = prop::option::of(prop::sample::select(&GATEWAYS[..]));
    let refusal = prop_oneof![4 => Just(SendError::Full), 1 => Just(SendError::Disconnected)];
    prop_oneof![
        12 => (order(), 1_usize..4).prop_map(|(order, count)| Step::Send(order, count)),
        1 => (0_u8..2, network.clone()).prop_map(|(interface, network)| Step::AddAddress(interface, network)),
        1 => (0_u8..2, network).prop_map(|(interface, network)| Step::RemoveAddress(interface, network)),
        1 => (route.clone(), gateway, 0_u8..2).prop_map(|(route, gateway, by)| Step::AddRoute(route, gateway, by)),
        1 => (route, 0_u8..2).prop_map(|(route, interface)| Step::RemoveRoute(route, interface)),
        1 => prop_oneof![Just(1500_usize), Just(576), Just(9000), Just(70_000)].prop_map(Step::Mtu),
        1 => (prop_oneof![0_usize..3, Just(usize::MAX)], refusal).prop_map(|(room, error)| Step::Room(room, error)),
        2 => any::<bool>().prop_map(Step::Fresh),
    ]
}

/// Packets with all that came with them.
type Sent = Vec<(InterfaceId, HopPacket, Vec<u8>)>;

/// A host and what is below it, which go one way or the other.
struct Host {
    ipv4: Ipv4<'static>,
    below: Known,
    straight: bool,
}

impl Host {
    fn new(straight: bool) -> Self {
        let mut links = Links::new(1500);
        links.capabilities.max_large_frame = 65_535;
        Self { ipv4: host(), below: Known { links, fresh: true, frames: 0 }, straight }
    }

    /// Sends so many packets of a kind, if one way is straight then all at once as far as that goes.
    fn send_all(&mut self, order: &Order, count: usize) -> Vec<Result<(), SendError>> {
        let mut results = Vec::new();
        if self.straight
            && count > 1
            && let Some((sent, result)) = self.send_run(order, count)
        {
            results.extend((0..sent).map(|_| Ok(())));
            results.extend(result.is_err().then_some(result));
        }
        results.extend((results.len()..count).map(|_| self.send(order)));
        results
    }

    fn send_run(&mut self, order: &Order, count: usize) -> Option<(usize, Result<(), SendError>)> {
        let (packet, bytes) = (order.packet(), pattern(order.len));
        let mut ip = self.ipv4.over(&mut self.below);
        if let Some(by) = order.by {
            ip = ip.by(InterfaceId(by));
        }
        ip.send_run(&packet, (0..count).map(|_| |writer: &mut FrameWriter<'_>| writer.put(&bytes)))
    }

    fn send(&mut self, order: &Order) -> Result<(), SendError> {
        let packet = order.packet();
        let bytes = pattern(order.len);
        // As `Ip` demands: however long it takes, it is called once.
        let mut calls = 0;
        let mut ip = self.ipv4.over(&mut self.below);
        if let Some(by) = order.by {
            ip = ip.by(InterfaceId(by));
        }
        let fill = |writer: &mut FrameWriter<'_>| {
            calls += 1;
            writer.put(&bytes);
        };
        let sent = if self.straight { ip.send_straight(packet, fill) } else { ip.send(packet, fill) };
        assert!(calls <= 1);
        sent
    }

    /// Does it, and gives what came of it.
    fn take(&mut self, step: &Step) -> (Vec<Result<(), SendError>>, Sent) {
        let mut results = Vec::new();
        let network = |text: &str| text.parse::<Ipv4Cidr>().unwrap();
        let route = |text: &str, gateway: Option<&str>, by| Route {
            destination: network(text),
            gateway: gateway.map(|gateway| gateway.parse().unwrap()),
            interface: InterfaceId(by),
        };
        match *step {
            Step::Send(ref order, count) => results = self.send_all(order, count),
            Step::AddAddress(by, text) => _ = self.ipv4.add_address(InterfaceId(by), network(text)),
            Step::RemoveAddress(by, text) => {
                self.ipv4.remove_address(InterfaceId(by), network(text).address());
            }
            Step::AddRoute(text, gateway, by) => _ = self.ipv4.add_route(route(text, gateway, by)),
            Step::RemoveRoute(text, by) => {
                self.ipv4.remove_route(route(text, None, by));
            }
            Step::Mtu(mtu) => self.below.links.mtu = mtu,
            Step::Room(room, refusal) => (self.below.links.room, self.below.links.refusal) = (room, refusal),
            Step::Fresh(fresh) => self.below.fresh = fresh,
        }
        (results, self.below.links.sent.drain(..).collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_same_leaves_by_either_way(steps in prop::collection::vec(step(), 1..40)) {
        let (mut straight, mut winding) = (Host::new(true), Host::new(false));
        for step in steps {
            prop_assert_eq!(straight.take(&step), winding.take(&step), "{:?}", step);
        }
        prop_assert_eq!(winding.below.frames, 0);
    }
}

#[test]
fn packet_after_packet_goes_the_straight_way_until_something_changes() {
    let mut host = Host::new(true);
    let order = Order {
        source: 0,
        to: 0,
        protocol: 17,
        len: 100,
        dont_fragment: false,
        ttl: None,
        router_alert: false,
        ecn: Ecn::NotCapable,
        checksum: false,
        segment_size: None,
        by: None,
    };
    let mut straight = |change: Option<Step>| {
        change.iter().for_each(|step| drop(host.take(step)));
        let before = host.below.frames;
        for _ in 0..3 {
            host.send(&order).unwrap();
        }
        host.below.frames - before
    };
    assert_eq!(straight(None), 2, "the first had to find its way");
    assert_eq!(straight(None), 3);
    assert_eq!(straight(Some(Step::Mtu(576))), 3);
    assert_eq!(straight(Some(Step::Mtu(119))), 0, "longer than the MTU: cut");
    assert_eq!(straight(Some(Step::Mtu(1500))), 3);
    assert_eq!(straight(Some(Step::AddRoute("0.0.0.0/0", Some("10.0.0.254"), 0))), 2);
    assert_eq!(straight(Some(Step::RemoveRoute("0.0.0.0/0", 0))), 2);
    assert_eq!(straight(Some(Step::AddAddress(1, "10.7.0.2/16"))), 2);
    assert_eq!(straight(Some(Step::RemoveAddress(1, "10.7.0.2/16"))), 2);
    assert_eq!(straight(Some(Step::Fresh(false))), 0);
}

/// What comes in, and what happens meanwhile.
#[derive(Clone, Debug)]
enum Arrival {
    /// A packet, and which of its bits is flipped.
    Packet(Raw, u8, Option<usize>),
    AddAddress(&'static str),
    RemoveAddress(&'static str),
    Trailing(Raw),
}

fn raw() -> impl Strategy<Value = Raw> {
    let source =
        prop_oneof![6 => Just("10.0.0.1"), 1 => Just("10.0.0.2"), 1 => Just("10.0.0.255"), 1 => Just("0.0.0.0")];
    let destination = prop_oneof![6 => Just("10.0.0.2"), 1 => Just("10.7.0.2"), 1 => Just("10.0.0.255")];
    let offset = prop_oneof![6 => Just(0_usize), 1 => Just(8)];
    let ttl = prop_oneof![4 => Just(64_u8), 1 => 0_u8..3];
    let options = prop_oneof![6 => Just(vec![]), 1 => Just(vec![1, 1, 1, 1]), 1 => Just(vec![131, 3, 4, 0])];
    (source, destination, offset, prop::bool::weighted(0.1), ttl, options, 0_usize..40).prop_map(
        |(source, destination, offset, more, ttl, options, len)| Raw {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            offset,
            more,
            ttl,
            options,
            payload: pattern(len),
            ..Raw::default()
        },
    )
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let network = prop::sample::select(&NETWORKS[..]);
    prop_oneof![
        8 => (raw(), any::<u8>(), prop::option::weighted(0.2, 0_usize..160))
            .prop_map(|(raw, class, bit)| Arrival::Packet(raw, class, bit)),
        1 => network.clone().prop_map(Arrival::AddAddress),
        1 => network.prop_map(Arrival::RemoveAddress),
        1 => raw().prop_map(Arrival::Trailing),
    ]
}

/// What a transport gets.
fn shown(protocol: Protocol, received: &Received<'_>) -> String {
    format!("{protocol:?} {received:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_usual_is_what_would_be_taken(arrivals in prop::collection::vec(arrival(), 1..40)) {
        let config = Config::new(Fragmentation::BOTH_WAYS);
        let mut host = host_with(config, 256, 65_535);
        for arrival in arrivals {
            let bytes = match arrival {
                Arrival::Packet(raw, class, bit) => {
                    let mut bytes = raw.bytes();
                    bytes[1] = class;
                    bytes = sealed(bytes);
                    if let Some(bit) = bit {
                        bytes[bit / 8] ^= 1 << (bit % 8);
                    }
                    bytes
                }
                Arrival::Trailing(raw) => [raw.bytes(), vec![0xaa; 20]].concat(),
                Arrival::AddAddress(text) => {
                    let _full = host.add_address(FIRST, cidr(text));
                    continue;
                }
                Arrival::RemoveAddress(text) => {
                    host.remove_address(FIRST, cidr(text).address());
                    continue;
                }
            };
            let segment_size = NonZeroU16::new(bytes.len() as u16 % 2);
            let checksum = ReceivedChecksum::Verified;
            let usual = host.split().0.usual(FIRST, &bytes, checksum, segment_size).map(|(protocol, received)| shown(protocol, &received));
            let discards = format!("{:?}", host.discards());
            let taken = host.input(secs(1), FIRST, Cast::Unicast, &bytes, checksum, segment_size);
            let taken = taken.map(|incoming| incoming.map(|incoming| shown(incoming.protocol, &incoming.received)));
            if let Some(usual) = usual {
                prop_assert_eq!(taken, Ok(Some(usual)));
                prop_assert_eq!(format!("{:?}", host.discards()), discards);
            }
        }
    }
}

#[test]
fn a_packet_like_the_one_before_is_usual_while_it_is_for_us() {
    let mut host = host();
    let bytes = Raw::default().bytes();
    let usual = |host: &mut Ipv4<'_>| {
        let (inbound, _) = host.split();
        inbound.usual(FIRST, &bytes, ReceivedChecksum::Unchecked, None).is_some()
    };
    assert!(!usual(&mut host), "nothing came yet");
    give_bytes(&mut host, secs(1), &bytes).unwrap();
    assert!(usual(&mut host));
    host.add_address(FIRST, cidr("10.0.0.1/24")).unwrap();
    assert!(!usual(&mut host), "its source is ours now");
    host.remove_address(FIRST, "10.0.0.1".parse().unwrap());
    give_bytes(&mut host, secs(1), &bytes).unwrap();
    assert!(usual(&mut host));
    host.remove_address(FIRST, US);
    assert!(!usual(&mut host), "it is for somebody else now");
}

#[test]
fn a_run_goes_the_straight_way_whole_or_not_at_all_and_stops_where_the_device_does() {
    let mut host = Host::new(true);
    let mut order = Order {
        source: 0,
        to: 0,
        protocol: 6,
        len: 1000,
        dont_fragment: true,
        ttl: None,
        router_alert: false,
        ecn: Ecn::NotCapable,
        checksum: false,
        segment_size: None,
        by: None,
    };
    assert_eq!(host.send_run(&order, 3), None, "the way is not known");
    host.send(&order).unwrap();
    assert_eq!(host.send_run(&order, 3), Some((3, Ok(()))));
    host.below.links.room = 2;
    assert_eq!(host.send_run(&order, 3), Some((2, Err(SendError::Full))));
    host.below.links.room = usize::MAX;
    assert_eq!(host.below.links.sent.len(), 6);
    order.dont_fragment = false;
    assert_eq!(host.send_run(&order, 3), None, "each has an identification of its own");
    (order.dont_fragment, order.len) = (true, 1481);
    assert_eq!(host.send_run(&order, 3), None, "longer than the MTU");
    (order.len, order.checksum, order.segment_size) = (8000, true, Some(1460));
    host.below.links.sent.clear();
    assert_eq!(host.send_run(&order, 2), Some((2, Ok(()))), "the device cuts it");
    for (_, packet, bytes) in host.below.links.sent.drain(..) {
        assert_eq!((packet.len, packet.segment_size, bytes.len()), (8020, NonZeroU16::new(1460), 8020));
        assert_eq!(packet.checksum, Some(PartialChecksum { start: 20, offset: 6 }), "behind the header");
    }
    order.len = 65_516;
    assert_eq!(host.send_run(&order, 2), None, "longer than a packet can be");
}
