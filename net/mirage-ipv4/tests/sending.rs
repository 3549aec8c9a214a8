//! What leaves: routes, sources, headers, fragments.

mod common;

use core::num::NonZeroU16;

use common::*;
use mirage_ipv4::{Config, Fragmentation, Ipv4, Route, TableFull};
use mirage_net::{Capabilities, FrameWriter, PartialChecksum, SendError};
use mirage_protocols::{Ecn, InterfaceId, Ip, IpAddr, Ipv4Cidr, NextHop, Packet, Protocol};

fn packet(to: &str, len: usize) -> Packet {
    Packet::new(US.into(), ip(to), Protocol::UDP, len)
}

fn send(host: &mut Ipv4<'_>, links: &mut Links, packet: Packet) -> Result<(), SendError> {
    let bytes = pattern(packet.len);
    host.over(links).send(packet, |frame: &mut FrameWriter<'_>| {
        // As a transport does: a header with a hole, the payload, then the sum over both into the hole.
        let start = frame.len();
        frame.put_zeroes(bytes.len().min(2));
        frame.put(bytes.get(2..).unwrap_or_default());
        frame.patch(start, &bytes[..bytes.len().min(2)]);
    })
}

/// Where a packet goes.
fn next(host: &mut Ipv4<'_>, to: &str) -> Option<(InterfaceId, NextHop)> {
    let mut links = Links::new(1500);
    match send(host, &mut links, packet(to, 8)) {
        Ok(()) => Some((links.sent[0].0, links.sent[0].1.to)),
        Err(error) => {
            assert_eq!(error, SendError::NoRoute);
            None
        }
    }
}

fn neighbour(address: &str) -> NextHop {
    NextHop::Neighbour(address.parse().unwrap())
}

fn route(destination: &str, gateway: Option<&str>, interface: InterfaceId) -> Route {
    Route { destination: cidr(destination), gateway: gateway.map(|gateway| gateway.parse().unwrap()), interface }
}

#[test]
fn a_packet_leaves_with_a_right_header_straight_in_the_frame() {
    let (mut host, mut links) = (host(), Links::new(1500));
    send(&mut host, &mut links, packet("10.0.0.1", 100)).unwrap();
    let (interface, hop, bytes) = &links.sent[0];
    assert_eq!((*interface, hop.to, hop.len), (FIRST, neighbour("10.0.0.1"), 120));
    assert_eq!(bytes[..4], [0x45, 0, 0, 120]);
    assert_eq!(bytes[6..10], [0, 0, 64, 17]);
    assert_eq!(bytes[12..20], [10, 0, 0, 2, 10, 0, 0, 1]);
    assert_eq!(ones_sum(&bytes[..20]), 0xffff);
    assert_eq!(bytes[20..], pattern(100));
}

#[test]
fn whether_a_packet_may_be_marked_stands_in_its_header() {
    let (mut host, mut links) = (host(), Links::new(1500));
    send(&mut host, &mut links, Packet { ecn: Ecn::Capable0, ..packet("10.0.0.1", 100) }).unwrap();
    let (_, _, bytes) = &links.sent[0];
    assert_eq!(bytes[1], 2);
    assert_eq!(ones_sum(&bytes[..20]), 0xffff);
}

#[test]
fn what_one_host_sends_another_takes() {
    let (mut host, mut links) = (host(), Links::new(1500));
    let mut peer = bare(Config::default(), 256, 65_535, 0);
    peer.add_address(FIRST, cidr("10.0.0.1/24")).unwrap();
    for len in [0, 1, 1479, 1480, 1481, 5000, 65_515] {
        send(&mut host, &mut links, packet("10.0.0.1", len)).unwrap();
        let sent = links.take();
        assert_eq!(sent.len(), len.div_ceil(1480).max(1));
        let (last, first) = sent.split_last().unwrap();
        for bytes in first {
            assert_eq!(give_bytes(&mut peer, secs(1), bytes), Ok(None));
        }
        assert_eq!(give_bytes(&mut peer, secs(1), last), Ok(Some(pattern(len))));
    }
}

#[test]
fn the_longest_prefix_decides() {
    let mut host = host();
    host.add_address(SECOND, cidr("10.7.0.2/16")).unwrap();
    host.add_route(route("192.0.2.0/24", Some("10.7.0.1"), SECOND)).unwrap();
    host.add_route(route("0.0.0.0/0", Some("10.0.0.254"), FIRST)).unwrap();
    host.add_route(route("192.0.2.128/25", Some("10.0.0.253"), FIRST)).unwrap();
    host.add_route(route("10.7.9.0/24", Some("10.0.0.252"), FIRST)).unwrap();
    assert_eq!(host.add_route(route("9.0.0.0/8", None, FIRST)), Err(TableFull));
    for (to, expected) in [
        ("10.0.0.9", (FIRST, "10.0.0.9")),
        ("10.7.200.1", (SECOND, "10.7.200.1")),
        ("10.7.9.1", (FIRST, "10.0.0.252")),
        ("192.0.2.1", (SECOND, "10.7.0.1")),
        ("192.0.2.129", (FIRST, "10.0.0.253")),
        ("198.51.100.1", (FIRST, "10.0.0.254")),
    ] {
        assert_eq!(next(&mut host, to), Some((expected.0, neighbour(expected.1))), "{to}");
    }
}

#[test]
fn routes_are_listed_longest_prefix_first_in_whatever_order_they_come() {
    let networks = ["0.0.0.0/0", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32"];
    for order in permutations(4) {
        let mut host = host();
        for at in order {
            host.add_route(route(networks[at], None, FIRST)).unwrap();
        }
        let listed: Vec<_> = host.routes().map(|route| route.destination.to_string()).collect();
        assert!(listed.iter().eq(networks.iter().rev()), "{listed:?}");
        assert!(host.remove_route(route(networks[2], None, FIRST)));
        assert_eq!(host.routes().count(), 3);
        assert_eq!(host.routes().nth(1).unwrap().destination, cidr(networks[1]));
    }
}

#[test]
fn our_own_networks_win_over_routes_of_the_same_length_and_longer_ones_over_shorter() {
    for swapped in [false, true] {
        let mut bare = bare(Config::default(), 0, 0, 0);
        let mut networks = [(FIRST, "10.0.0.2/24"), (SECOND, "10.0.0.3/16")];
        if swapped {
            networks.reverse();
        }
        for (interface, network) in networks {
            bare.add_address(interface, cidr(network)).unwrap();
        }
        bare.add_route(route("10.0.0.0/24", Some("10.0.9.9"), SECOND)).unwrap();
        assert_eq!(next(&mut bare, "10.0.0.9"), Some((FIRST, neighbour("10.0.0.9"))));
        assert_eq!(next(&mut bare, "10.0.1.9"), Some((SECOND, neighbour("10.0.1.9"))));
    }
}

#[test]
fn the_way_changes_at_once_with_addresses_and_routes() {
    let mut host = host();
    let to = "10.7.0.9";
    assert_eq!(next(&mut host, to), None);
    host.add_route(route("0.0.0.0/0", Some("10.0.0.254"), FIRST)).unwrap();
    assert_eq!(next(&mut host, to), Some((FIRST, neighbour("10.0.0.254"))));
    host.add_address(SECOND, cidr("10.7.0.2/24")).unwrap();
    assert_eq!(next(&mut host, to), Some((SECOND, neighbour(to))));
    host.remove_address(SECOND, "10.7.0.2".parse().unwrap());
    assert_eq!(next(&mut host, to), Some((FIRST, neighbour("10.0.0.254"))));
    host.remove_route(route("0.0.0.0/0", None, FIRST));
    assert_eq!(next(&mut host, to), None);
}

#[test]
fn a_route_is_replaced_by_one_to_the_same_network_and_can_be_taken_away() {
    let mut host = host();
    host.add_route(route("0.0.0.0/0", Some("10.0.0.254"), FIRST)).unwrap();
    host.add_route(route("0.0.0.0/0", Some("10.0.0.253"), FIRST)).unwrap();
    assert_eq!(host.routes().count(), 1);
    assert_eq!(next(&mut host, "192.0.2.1"), Some((FIRST, neighbour("10.0.0.253"))));
    assert!(host.remove_route(route("0.0.0.0/0", None, FIRST)));
    assert!(!host.remove_route(route("0.0.0.0/0", None, FIRST)));
    assert_eq!(next(&mut host, "192.0.2.1"), None);
}

#[test]
fn broadcasts_and_groups_go_to_many() {
    let mut host = host();
    host.add_address(SECOND, cidr("10.7.0.2/16")).unwrap();
    host.add_route(route("224.0.0.0/4", None, SECOND)).unwrap();
    assert_eq!(next(&mut host, "255.255.255.255"), Some((FIRST, NextHop::Broadcast)));
    assert_eq!(next(&mut host, "10.0.0.255"), Some((FIRST, NextHop::Broadcast)));
    assert_eq!(next(&mut host, "10.7.255.255"), Some((SECOND, NextHop::Broadcast)));
    let group = "224.0.0.251".parse().unwrap();
    assert_eq!(next(&mut host, "224.0.0.251"), Some((SECOND, NextHop::Group(group))));
}

#[test]
fn a_packet_can_be_bound_to_an_interface() {
    let (mut host, mut links) = (host(), Links::new(1500));
    host.add_route(route("0.0.0.0/0", Some("10.0.0.254"), FIRST)).unwrap();
    let everybody = packet("255.255.255.255", 8);
    host.over(&mut links).by(SECOND).send(everybody, |frame| frame.put(&[0; 8])).unwrap();
    assert_eq!((links.sent[0].0, links.sent[0].1.to), (SECOND, NextHop::Broadcast));
    for to in ["10.0.0.1", "192.0.2.1"] {
        let result = host.over(&mut links).by(SECOND).send(packet(to, 8), |_| unreachable!("no route"));
        assert_eq!(result, Err(SendError::NoRoute));
    }
}

#[test]
fn networks_of_31_and_32_bits_reach_their_neighbours() {
    let mut bare = bare(Config::default(), 0, 0, 0);
    bare.add_address(FIRST, cidr("10.1.0.0/31")).unwrap();
    bare.add_address(SECOND, cidr("10.2.0.1/32")).unwrap();
    bare.add_route(route("10.2.0.2/32", None, SECOND)).unwrap();
    bare.add_route(route("0.0.0.0/0", Some("10.2.0.2"), SECOND)).unwrap();
    assert_eq!(next(&mut bare, "10.1.0.1"), Some((FIRST, neighbour("10.1.0.1"))));
    assert_eq!(next(&mut bare, "10.2.0.2"), Some((SECOND, neighbour("10.2.0.2"))));
    assert_eq!(next(&mut bare, "10.2.0.3"), Some((SECOND, neighbour("10.2.0.2"))));
}

#[test]
fn there_is_no_way_to_ourselves_to_nobody_and_to_the_other_version() {
    let mut host = host();
    host.add_route(route("0.0.0.0/0", Some("10.0.0.254"), FIRST)).unwrap();
    for to in ["10.0.0.2", "127.0.0.1", "0.0.0.0", "240.0.0.1"] {
        assert_eq!(next(&mut host, to), None, "{to}");
    }
    let mut links = Links::new(1500);
    let sixth = Packet::new(ip("::1"), ip("::2"), Protocol::UDP, 8);
    assert_eq!(send(&mut host, &mut links, sixth), Err(SendError::NoRoute));
    assert_eq!(host.over(&mut links).source(ip("::2")), None);
    assert_eq!(host.over(&mut links).capabilities(ip("::2")), Capabilities::default());
}

#[test]
fn the_source_is_on_the_network_of_the_next_hop() {
    let (mut host, mut links) = (host(), Links::new(1500));
    host.add_address(FIRST, cidr("10.5.0.2/24")).unwrap();
    host.add_address(SECOND, cidr("10.7.0.2/16")).unwrap();
    host.add_route(route("0.0.0.0/0", Some("10.5.0.1"), FIRST)).unwrap();
    host.add_route(route("192.0.2.0/24", None, SECOND)).unwrap();
    host.add_route(route("198.51.100.0/24", None, InterfaceId(9))).unwrap();
    for (to, source) in [
        ("10.0.0.1", "10.0.0.2"),
        ("10.0.0.255", "10.0.0.2"),
        ("10.5.0.255", "10.5.0.2"),
        ("10.7.3.4", "10.7.0.2"),
        ("8.8.8.8", "10.5.0.2"),
        ("192.0.2.1", "10.7.0.2"),
        ("224.0.0.251", "10.0.0.2"),
        ("255.255.255.255", "10.0.0.2"),
        // An interface without an address borrows one.
        ("198.51.100.1", "10.0.0.2"),
    ] {
        assert_eq!(host.over(&mut links).source(ip(to)), Some(ip(source)), "{to}");
    }
    assert_eq!(host.over(&mut links).source(ip("127.0.0.1")), None);
}

#[test]
fn before_there_is_an_address_nobody_speaks_to_everybody() {
    let (mut bare, mut links) = (bare(Config::default(), 0, 0, 0), Links::new(1500));
    assert_eq!(bare.over(&mut links).source(IpAddr::V4([255; 4].into())), Some(ip("0.0.0.0")));
    assert_eq!(bare.over(&mut links).source(ip("10.0.0.1")), None);
    let discover = Packet::new(ip("0.0.0.0"), ip("255.255.255.255"), Protocol::UDP, 300);
    send(&mut bare, &mut links, discover).unwrap();
    assert_eq!((links.sent[0].0, links.sent[0].1.to), (FIRST, NextHop::Broadcast));
}

#[test]
fn the_time_to_live_is_64_to_one_1_to_groups_or_what_is_asked_for() {
    let (mut host, mut links) = (host(), Links::new(1500));
    let asked = Packet { ttl: Some(255), ..packet("224.0.0.251", 8) };
    for packet in [packet("10.0.0.1", 8), packet("224.0.0.251", 8), packet("10.0.0.255", 8), asked] {
        send(&mut host, &mut links, packet).unwrap();
    }
    assert_eq!(links.take().iter().map(|bytes| bytes[8]).collect::<Vec<_>>(), [64, 1, 64, 255]);
}

#[test]
fn router_alert_lengthens_the_header() {
    let (mut host, mut links) = (host(), Links::new(1500));
    send(&mut host, &mut links, Packet { router_alert: true, ..packet("224.0.0.22", 16) }).unwrap();
    let bytes = &links.sent[0].2;
    assert_eq!((bytes[0], bytes.len()), (0x46, 40));
    assert_eq!(bytes[20..24], [0x94, 4, 0, 0]);
    assert_eq!(ones_sum(&bytes[..24]), 0xffff);
}

#[test]
fn a_checksum_left_for_the_device_moves_by_the_header() {
    let (mut host, mut links) = (host(), Links::new(1500));
    let checksum = Some(PartialChecksum { start: 0, offset: 6 });
    send(&mut host, &mut links, Packet { checksum, ..packet("10.0.0.1", 100) }).unwrap();
    assert_eq!(links.sent[0].1.checksum, Some(PartialChecksum { start: 20, offset: 6 }));
    let long = Packet { checksum, ..packet("10.0.0.1", 1481) };
    assert_eq!(send(&mut host, &mut links, long), Err(SendError::WouldFragment { mtu: 1500 }));
}

#[test]
fn a_packet_that_the_device_cuts_is_not_fragmented() {
    let (mut host, mut links) = (host(), Links::new(1500));
    let segment_size = NonZeroU16::new(1448);
    send(&mut host, &mut links, Packet { segment_size, dont_fragment: true, ..packet("10.0.0.1", 65_515) }).unwrap();
    assert_eq!(links.sent.len(), 1);
    assert_eq!(links.sent[0].1.segment_size, segment_size);
    assert_eq!(links.sent[0].2[2..8], [0xff, 0xff, 0, 0, 0x40, 0]);
}

#[test]
fn mtu_and_large_frames_do_not_count_the_header() {
    let (mut host, mut links) = (host(), Links::new(1500));
    links.capabilities.max_large_frame = 65_549;
    assert_eq!(host.over(&mut links).mtu(ip("10.0.0.1")), 1480);
    assert_eq!(host.over(&mut links).mtu(ip("192.0.2.1")), 556);
    assert_eq!(host.over(&mut links).capabilities(ip("10.0.0.1")).max_large_frame, 65_515);
    links.capabilities.max_large_frame = 0;
    assert_eq!(host.over(&mut links).capabilities(ip("10.0.0.1")).max_large_frame, 0);
}

#[test]
fn a_packet_that_may_not_be_cut_is_refused_with_the_mtu() {
    let (mut host, mut links) = (host(), Links::new(1400));
    let result = send(&mut host, &mut links, Packet { dont_fragment: true, ..packet("10.0.0.1", 1381) });
    assert_eq!(result, Err(SendError::WouldFragment { mtu: 1400 }));
    send(&mut host, &mut links, Packet { dont_fragment: true, ..packet("10.0.0.1", 1380) }).unwrap();
    assert_eq!(links.sent[0].2[4..8], [0, 0, 0x40, 0]);
}

#[test]
fn a_packet_too_long_for_ip_or_for_the_lent_buffer_is_refused() {
    let (mut host, mut links) = (host(), Links::new(1500));
    assert_eq!(send(&mut host, &mut links, packet("10.0.0.1", 65_516)), Err(SendError::TooLong));
    let mut small = bare(Config::default(), 0, 0, 3000);
    small.add_address(FIRST, cidr("10.0.0.2/24")).unwrap();
    assert_eq!(send(&mut small, &mut links, packet("10.0.0.1", 3001)), Err(SendError::TooLong));
    assert_eq!(send(&mut small, &mut links, packet("10.0.0.1", 3000)), Ok(()));
    assert!(!small.wants_transmit());
}

#[test]
fn a_link_too_narrow_for_eight_bytes_is_refused() {
    let mut host = host();
    assert_eq!(send(&mut host, &mut Links::new(27), packet("10.0.0.1", 8)), Err(SendError::TooLong));
    assert_eq!(send(&mut host, &mut Links::new(28), packet("10.0.0.1", 9)), Ok(()));
}

#[test]
fn fragments_of_16_bytes_have_right_lengths_offsets_and_flags() {
    for (len, count, last) in [(1030, 65, 26), (1024, 64, 36)] {
        let (mut host, mut links) = (host(), Links::new(36));
        send(&mut host, &mut links, packet("10.0.0.1", len)).unwrap();
        let sent = links.take();
        assert_eq!(sent.len(), count);
        assert_eq!(sent[count - 1].len(), last);
        for (at, bytes) in sent.iter().enumerate() {
            assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), bytes.len());
            assert_eq!(bytes[4..6], sent[0][4..6], "one identification");
            let more = if at + 1 < count { 0x2000 } else { 0 };
            assert_eq!(u16::from_be_bytes([bytes[6], bytes[7]]), (at as u16 * 2) | more);
            assert_eq!(ones_sum(&bytes[..20]), 0xffff);
        }
        assert_eq!(sent.iter().flat_map(|bytes| bytes[20..].to_vec()).collect::<Vec<_>>(), pattern(len));
    }
}

#[test]
fn every_fragment_carries_router_alert() {
    let (mut host, mut links) = (host(), Links::new(100));
    send(&mut host, &mut links, Packet { router_alert: true, ..packet("224.0.0.22", 200) }).unwrap();
    let sent = links.take();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|bytes| bytes[0] == 0x46 && bytes[20..24] == [0x94, 4, 0, 0]));
    assert!(sent.iter().all(|bytes| ones_sum(&bytes[..24]) == 0xffff));
    assert_eq!(sent.iter().flat_map(|bytes| bytes[24..].to_vec()).collect::<Vec<_>>(), pattern(200));
}

#[test]
fn fragments_for_which_the_device_has_no_room_leave_later() {
    let (mut host, mut links) = (host(), Links::new(1500));
    links.room = 2;
    send(&mut host, &mut links, packet("10.0.0.1", 8000)).unwrap();
    assert_eq!(links.sent.len(), 2);
    assert!(host.wants_transmit());
    let untouched = |_: &mut FrameWriter<'_>| unreachable!("it is full");
    assert_eq!(host.over(&mut links).send(packet("10.0.0.1", 8000), untouched), Err(SendError::Full));
    links.room = 2;
    host.poll_transmit(secs(1), &mut links);
    assert_eq!(links.sent.len(), 4);
    assert!(host.wants_transmit());
    links.room = 9;
    send(&mut host, &mut links, packet("10.0.0.1", 50)).expect("a short packet does not wait for a long one");
    host.poll_transmit(secs(1), &mut links);
    assert!(!host.wants_transmit());
    let mut sent = links.take();
    sent.remove(4);
    assert_eq!(sent.iter().flat_map(|bytes| bytes[20..].to_vec()).collect::<Vec<_>>(), pattern(8000));
}

#[test]
fn a_device_without_any_room_takes_a_long_packet_whole() {
    let (mut host, mut links) = (host(), Links::new(1500));
    links.room = 0;
    assert_eq!(send(&mut host, &mut links, packet("10.0.0.1", 50)), Err(SendError::Full));
    assert_eq!(send(&mut host, &mut links, packet("10.0.0.1", 3000)), Ok(()));
    links.room = 9;
    host.poll_transmit(secs(1), &mut links);
    assert_eq!(links.sent.len(), 3);
}

#[test]
fn fragments_wait_for_the_next_hops_address_for_three_seconds() {
    for resolves in [true, false] {
        let (mut host, mut links) = (host(), Links::new(1500));
        (links.room, links.refusal) = (1, SendError::Unresolved);
        send(&mut host, &mut links, packet("10.0.0.1", 4000)).unwrap();
        let mut now = secs(5);
        for _ in 0..59 {
            host.poll_transmit(now, &mut links);
            assert!(!host.wants_transmit(), "it would be tried in a loop");
            now = host.poll_timeout().expect("it is tried again");
            host.handle_timeout(now);
            assert!(host.wants_transmit());
        }
        assert_eq!(links.sent.len(), 1);
        assert!(now < secs(8));
        now = secs(8);
        links.room = if resolves { 9 } else { 0 };
        host.poll_transmit(now, &mut links);
        assert_eq!(links.sent.len(), if resolves { 3 } else { 1 });
        assert!(!host.wants_transmit());
        assert_eq!(host.poll_timeout(), None);
    }
}

#[test]
fn fragments_that_wait_for_a_next_hop_hold_up_nobody_else() {
    let (mut host, mut links) = (host(), Links::new(1500));
    (links.room, links.refusal) = (1, SendError::Unresolved);
    send(&mut host, &mut links, packet("10.0.0.1", 4000)).unwrap();
    assert_eq!(send(&mut host, &mut links, packet("10.0.0.1", 4000)), Err(SendError::Unresolved));
    links.room = 9;
    send(&mut host, &mut links, packet("10.0.0.3", 4000)).unwrap();
    assert_eq!(links.sent.len(), 4, "one piece of the first, all of the other");
    assert!(!host.wants_transmit());
}

#[test]
fn a_next_hop_that_does_not_answer_refuses_the_first_fragment() {
    let (mut host, mut links) = (host(), Links::new(1500));
    (links.room, links.refusal) = (0, SendError::Unresolved);
    assert_eq!(send(&mut host, &mut links, packet("10.0.0.1", 4000)), Err(SendError::Unresolved));
    assert!(!host.wants_transmit());
}

#[test]
fn a_device_that_goes_away_takes_the_waiting_fragments_with_it() {
    let (mut host, mut links) = (host(), Links::new(1500));
    links.room = 1;
    send(&mut host, &mut links, packet("10.0.0.1", 4000)).unwrap();
    links.refusal = SendError::Disconnected;
    host.poll_transmit(secs(1), &mut links);
    assert!(!host.wants_transmit());
}

fn identification(host: &mut Ipv4<'_>, to: &str) -> u16 {
    let mut links = Links::new(1500);
    send(host, &mut links, packet(to, 8)).unwrap();
    u16::from_be_bytes([links.sent[0].2[4], links.sent[0].2[5]])
}

#[test]
fn identifications_do_not_repeat_for_a_pair() {
    let mut host = host();
    let mut seen: Vec<_> = (0..65_536).map(|_| identification(&mut host, "10.0.0.1")).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 65_536);
}

#[test]
fn identifications_towards_one_peer_say_nothing_about_another() {
    let mut host = host();
    host.add_route(Route { destination: Ipv4Cidr::ANY, gateway: Some(PEER), interface: FIRST }).unwrap();
    let peers: Vec<_> = (1..=100).map(|n| identification(&mut host, &format!("192.0.2.{n}"))).collect();
    let steps = peers.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) < 256).count();
    assert!(steps < 5, "{steps} of 99 steps are small");
}

#[test]
fn without_fragmentation_a_packet_longer_than_the_mtu_is_refused() {
    let mut host = host_with(Config::new(Fragmentation::NONE), 0, 0);
    let mut links = Links::new(1500);
    let sent = host.over(&mut links).send(packet("10.0.0.1", 1481), |frame| frame.put(&[0; 1481]));
    assert_eq!(sent, Err(SendError::WouldFragment { mtu: 1500 }));
    host.over(&mut links).send(packet("10.0.0.1", 1480), |frame| frame.put(&[0; 1480])).unwrap();
}
