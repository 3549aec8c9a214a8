//! ICMP as seen by a peer that writes its packets by hand.

use core::net::{IpAddr, Ipv4Addr};

use lab::raw::{ICMP, Packet, TCP, UDP};
use lab::{Lab, Large, Raw, ms, s};
use mirage_checksum::{checksum, verify};

/// The address of the peer.
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 200);

fn address(host: &Large) -> Ipv4Addr {
    let IpAddr::V4(address) = host.address else { panic!("the laboratory speaks IPv4") };
    address
}

fn echo_request(payload: &[u8]) -> Vec<u8> {
    let mut message = [&[8, 0, 0, 0, 0x12, 0x34, 0, 1], payload].concat();
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// The next packet, put together from its fragments, which come in order here.
async fn whole(raw: &Raw) -> Packet {
    let mut whole = raw.packet().await;
    while whole.more {
        let next = raw.packet().await;
        assert_eq!((next.identification, next.offset), (whole.identification, whole.payload.len()));
        whole.payload.extend(&next.payload);
        whole.more = next.more;
    }
    whole
}

#[test]
fn pings_of_all_sizes_are_answered() {
    for size in [0, 56, 1472, 1473, 65_507] {
        let lab = Lab::new("pings_of_all_sizes_are_answered", 1);
        let (host, raw) = (lab.host(1), lab.raw());
        let payload: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        let request = Packet { payload: echo_request(&payload), ..Packet::new(PEER, address(&host), ICMP) };
        raw.send_fragments(host.mac, &request, 1480);
        let reply = lab.run(&[&host], s(1), whole(&raw));
        assert_eq!((reply.source, reply.destination), (address(&host), PEER));
        assert_eq!(reply.payload[..2], [0, 0], "an echo reply");
        assert_eq!(reply.payload[4..8], [0x12, 0x34, 0, 1], "identifier and sequence number come back");
        assert_eq!(reply.payload[8..], payload);
        assert!(verify(&reply.payload));
        assert_eq!(host.counters().ipv4_blocks_in_use, 0);
    }
}

#[test]
fn a_port_that_is_not_open_is_reported_with_what_was_sent() {
    let lab = Lab::new("a_port_that_is_not_open_is_reported_with_what_was_sent", 1);
    let (host, raw) = (lab.host(1), lab.raw());
    let datagram = [0x10, 0, 0, 99, 0, 12, 0, 0, b'd', b'a', b't', b'a'];
    let sent = Packet { payload: datagram.to_vec(), ..Packet::new(PEER, address(&host), UDP) };
    raw.send_ipv4(host.mac, &sent);
    let error = lab.run(&[&host], s(1), raw.packet());
    assert_eq!((error.protocol, &error.payload[..2]), (ICMP, &[3, 3][..]), "port unreachable");
    assert_eq!(error.payload[8 + 20..], datagram, "the packet's beginning comes back");
}

#[test]
fn a_protocol_that_is_not_spoken_is_reported() {
    let lab = Lab::new("a_protocol_that_is_not_spoken_is_reported", 1);
    let (host, raw) = (lab.host(1), lab.raw());
    raw.send_ipv4(host.mac, &Packet { payload: vec![0; 20], ..Packet::new(PEER, address(&host), 132) });
    let error = lab.run(&[&host], s(1), raw.packet());
    assert_eq!((error.protocol, &error.payload[..2]), (ICMP, &[3, 2][..]), "protocol unreachable");
}

#[test]
fn a_datagram_whose_rest_is_lost_is_reported_after_a_while() {
    let lab = Lab::new("a_datagram_whose_rest_is_lost_is_reported_after_a_while", 1);
    let (host, raw) = (lab.host(1), lab.raw());
    let first = Packet { more: true, payload: vec![7; 1480], ..Packet::new(PEER, address(&host), UDP) };
    raw.send_ipv4(host.mac, &first);
    let (took, error) = lab.run(&[&host], s(60), lab.timed(raw.packet()));
    assert_eq!((error.protocol, &error.payload[..2]), (ICMP, &[11, 1][..]), "reassembly time exceeded");
    assert!(took >= s(30) && took < s(31), "reported after {took:?}");
    assert_eq!(host.counters().ipv4_blocks_in_use, 0);
}

/// RFC 1122 §3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving … a datagram destined to an IP
/// broadcast or IP multicast address … a non-initial fragment"; nor about what only looks like one.
#[test]
fn nothing_is_reported_that_must_not_be() {
    let lab = Lab::new("nothing_is_reported_that_must_not_be", 1);
    let (host, raw) = (lab.host(1), lab.raw());
    let datagram = vec![0x10, 0, 0, 99, 0, 8, 0, 0];
    let everybody = mirage_net::MacAddress([0xff; 6]);
    for to in [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 255, 255, 255), Ipv4Addr::new(224, 0, 0, 1)] {
        raw.send_ipv4(everybody, &Packet { payload: datagram.clone(), ..Packet::new(PEER, to, UDP) });
    }
    let to_us = Packet { payload: datagram, ..Packet::new(PEER, address(&host), UDP) };
    raw.send_ipv4(everybody, &to_us);
    raw.send_ipv4(host.mac, &Packet { source: Ipv4Addr::BROADCAST, ..to_us.clone() });
    raw.send_ipv4(host.mac, &Packet { source: Ipv4Addr::new(224, 0, 0, 1), ..to_us.clone() });
    raw.send_ipv4(host.mac, &Packet { offset: 1480, identification: 9, ..to_us.clone() });
    raw.send_ipv4(host.mac, &Packet { payload: vec![0; 19], protocol: TCP, ..to_us });
    lab.run(&[&host], s(100), lab.sleep(s(90)));
    assert_eq!(host.counters().icmp.errors_sent, 0);
}

#[test]
fn a_flood_of_pings_is_answered_in_moderation() {
    let lab = Lab::new("a_flood_of_pings_is_answered_in_moderation", 1);
    let (host, raw) = (lab.host(1), lab.raw());
    let request = Packet { payload: echo_request(b"ping"), ..Packet::new(PEER, address(&host), ICMP) };
    lab.run(&[&host], s(2), async {
        for _ in 0..100 {
            (0..500).for_each(|_| raw.send_ipv4(host.mac, &request));
            lab.sleep(ms(10)).await;
        }
    });
    let replies = host.counters().icmp.echo_replies_sent;
    assert!((10_000..12_000).contains(&replies), "{replies} answers to 50,000 pings in a second");
}
