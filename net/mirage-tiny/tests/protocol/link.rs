//! Ethernet, ARP and IPv4 (RFC 826, RFC 791, RFC 1122).

use core::net::{Ipv4Addr, SocketAddrV4};

use mirage_clock::Instant;
use mirage_net::Frame;
use mirage_stack::{ErrorKind, TcpOptions};
use mirage_tiny::{Count, Host, Ipv4Cidr, Storage};

use crate::bench::{Bench, ms, s, sizes};
use crate::wire::{EVERYBODY, GATEWAY, OUR_MAC, PEER, PEER_MAC, Segment, US, Wire, arp, echo, ipv4, resum};

/// A host that knows nobody.
fn alone() -> Bench {
    let mut bench = Bench::new();
    bench.host = Host::new(OUR_MAC, 1_500, Storage::allocate(sizes()), [7; 16]);
    bench.host.set_address(Ipv4Cidr::new(US, 24).expect("24 is a prefix length"));
    bench.answers = false;
    bench
}

fn sent(bench: &mut Bench) -> Vec<Vec<u8>> {
    core::mem::take(&mut bench.wire.sent).into_iter().map(|(_, frame)| frame).collect()
}

/// The question of ours for `address`.
fn question(address: Ipv4Addr) -> Vec<u8> {
    let mut frame = arp(1, (OUR_MAC, US), ([0; 6], address));
    frame[..6].copy_from_slice(&EVERYBODY);
    frame
}

#[test]
fn who_asks_for_us_is_answered() {
    let mut bench = alone();
    bench.frame(&arp(1, (PEER_MAC, PEER), ([0; 6], US)));
    let mut answer = arp(2, (OUR_MAC, US), (PEER_MAC, PEER));
    answer[..6].copy_from_slice(&PEER_MAC);
    assert_eq!(sent(&mut bench), [answer]);
}

/// RFC 5227 §2.1.1.
#[test]
fn who_wants_our_address_hears_that_it_is_taken() {
    let mut bench = alone();
    bench.frame(&arp(1, (PEER_MAC, Ipv4Addr::UNSPECIFIED), ([0; 6], US)));
    let mut answer = arp(2, (OUR_MAC, US), (PEER_MAC, Ipv4Addr::UNSPECIFIED));
    answer[..6].copy_from_slice(&PEER_MAC);
    assert_eq!(sent(&mut bench), [answer]);
    bench.frame(&arp(2, (PEER_MAC, Ipv4Addr::UNSPECIFIED), (OUR_MAC, US)));
    bench.frame(&arp(1, (PEER_MAC, Ipv4Addr::UNSPECIFIED), ([0; 6], PEER)));
    assert_eq!(bench.count(Count::Arp), 2);
}

#[test]
fn questions_and_answers_that_make_no_sense_are_counted() {
    let good = arp(1, (PEER_MAC, PEER), ([0; 6], US));
    let group = [0x03, 0, 0, 0, 0, 2];
    let mut cases = vec![
        // For others, from us, from a group, from another network, from everybody.
        arp(1, (PEER_MAC, PEER), ([0; 6], GATEWAY)),
        arp(1, (PEER_MAC, US), ([0; 6], US)),
        arp(1, (group, PEER), ([0; 6], US)),
        arp(1, (PEER_MAC, Ipv4Addr::new(10, 0, 1, 2)), ([0; 6], US)),
        arp(1, (PEER_MAC, Ipv4Addr::new(10, 0, 0, 255)), ([0; 6], US)),
        arp(3, (PEER_MAC, PEER), ([0; 6], US)),
        // Cut off.
        good[..41].to_vec(),
    ];
    // Of another hardware, another protocol, with other lengths.
    for at in 14..20 {
        let mut frame = good.clone();
        frame[at] ^= 1;
        cases.push(frame);
    }
    let mut bench = alone();
    for (number, frame) in cases.iter().enumerate() {
        bench.frame(frame);
        assert_eq!(bench.count(Count::Arp), number as u64 + 1, "case {number}");
    }
    assert_eq!(sent(&mut bench), [[0_u8; 0]; 0]);
}

#[test]
fn an_answer_that_nobody_asked_for_is_nothing() {
    let mut bench = alone();
    bench.frame(&arp(2, (PEER_MAC, PEER), (OUR_MAC, US)));
    assert_eq!(bench.count(Count::Arp), 1);
    bench.host.connect(bench.remote, &TcpOptions::default()).expect("a slot is free");
    bench.transmit();
    assert_eq!(sent(&mut bench), [question(PEER)]);
}

#[test]
fn a_packet_waits_for_its_neighbour() {
    let mut bench = alone();
    bench.connect(&TcpOptions::default());
    assert_eq!(sent(&mut bench), [question(PEER)]);
    bench.frame(&arp(2, (PEER_MAC, PEER), (OUR_MAC, US)));
    let frames = sent(&mut bench);
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0][..6], PEER_MAC);
    assert!(Segment::parse(&frames[0]).is_some_and(|segment| segment.flags == 2));
    // A second answer is not believed.
    bench.frame(&arp(2, ([2, 0, 0, 0, 0, 9], PEER), (OUR_MAC, US)));
    bench.pass(s(1));
    assert_eq!(sent(&mut bench)[0][..6], PEER_MAC);
}

#[test]
fn who_does_not_answer_is_asked_again_and_not_too_often() {
    let mut bench = alone();
    let id = bench.host.bind(53).expect("the port is free");
    for _ in 0..100 {
        let cx = core::task::Context::from_waker(core::task::Waker::noop());
        let to = SocketAddrV4::new(PEER, 53);
        bench.wire.now = bench.now;
        assert!(bench.host.poll_send(id, &cx, &mut bench.wire, b"hello", to).is_ready());
        bench.pass(ms(100));
    }
    let questions = sent(&mut bench).len();
    assert!((10..=11).contains(&questions), "{questions} questions in ten seconds");
    assert_eq!(bench.count(Count::Unresolved), 99);
}

#[test]
fn far_packets_go_to_the_gateway() {
    let mut bench = Bench::new();
    let far = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 80);
    bench.host.connect(far, &TcpOptions::default()).expect("a slot is free");
    bench.transmit();
    let frames = sent(&mut bench);
    assert_eq!((frames.len(), &frames[0][..6]), (1, &PEER_MAC[..]));
    let mut bench = alone();
    let id = bench.host.bind(53).expect("the port is free");
    let cx = core::task::Context::from_waker(core::task::Waker::noop());
    assert!(bench.host.poll_send(id, &cx, &mut bench.wire, b"hello", far).is_ready());
    assert!(sent(&mut bench).is_empty());
    assert_eq!(bench.count(Count::NoRoute), 1);
}

#[test]
fn strangers_do_not_displace_who_is_used() {
    let mut bench = alone();
    let id = bench.connect(&TcpOptions::default());
    bench.frame(&arp(2, (PEER_MAC, PEER), (OUR_MAC, US)));
    sent(&mut bench);
    for stranger in 3..250 {
        let mac = [2, 0, 0, 0, 1, stranger];
        bench.frame(&arp(1, (mac, Ipv4Addr::new(10, 0, 0, stranger)), ([0; 6], US)));
    }
    sent(&mut bench);
    bench.pass(s(1));
    let frames = sent(&mut bench);
    assert_eq!((frames.len(), &frames[0][..6]), (1, &PEER_MAC[..]));
    bench.host.close(id);
}

#[test]
fn frames_for_others_are_counted() {
    let mut bench = Bench::new();
    let ping = ipv4(PEER, US, 1, &echo(b"ping"));
    let mut frames = [ping.clone(), ping.clone(), ping.clone(), ping[..13].to_vec(), vec![]];
    frames[0][..6].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
    frames[1][..6].copy_from_slice(&[1, 0, 0x5e, 0, 0, 1]);
    frames[2][12..14].copy_from_slice(&[0x86, 0xdd]);
    for (number, frame) in frames.iter().enumerate() {
        bench.frame(frame);
        assert_eq!(bench.count(Count::Frame), number as u64 + 1);
    }
    assert!(sent(&mut bench).is_empty());
}

#[test]
fn packets_with_wrong_headers_are_counted() {
    let ping = ipv4(PEER, US, 1, &echo(b"ping"));
    let change = |at: usize, value: u8| {
        let mut frame = ping.clone();
        frame[at] = value;
        resum(&mut frame);
        frame
    };
    let from = |source: Ipv4Addr| ipv4(source, US, 1, &echo(b"ping"));
    let mut damaged = ping.clone();
    damaged[22] ^= 1;
    let cases = [
        damaged,
        change(14, 0x55),
        change(14, 0x65),
        change(14, 0x35),
        // Longer than the frame, shorter than its header, a header longer than it.
        change(17, ping.len() as u8 - 13),
        change(17, 19),
        change(17, 0),
        change(14, 0x4f),
        // For others, from nobody, from a group, from all, from us.
        ipv4(PEER, Ipv4Addr::new(10, 0, 0, 9), 1, &echo(b"ping")),
        ipv4(PEER, Ipv4Addr::new(224, 0, 0, 1), 1, &echo(b"ping")),
        from(Ipv4Addr::UNSPECIFIED),
        from(Ipv4Addr::new(224, 0, 0, 1)),
        from(Ipv4Addr::BROADCAST),
        from(Ipv4Addr::new(10, 0, 0, 255)),
        from(US),
        // Of a protocol that nobody speaks.
        ipv4(PEER, US, 132, &[0; 40]),
        ping[..33].to_vec(),
    ];
    let mut bench = Bench::new();
    for (number, frame) in cases.iter().enumerate() {
        bench.frame(frame);
        assert_eq!(bench.count(Count::Ipv4), number as u64 + 1, "case {number}");
    }
    // A header that is shorter than a header.
    let mut short = ping.clone();
    short[14] = 0x44;
    short[24..26].fill(0);
    let sum = mirage_checksum::checksum(&short[14..30]);
    short[24..26].copy_from_slice(&sum.to_be_bytes());
    bench.frame(&short);
    assert_eq!(bench.count(Count::Ipv4), cases.len() as u64 + 1);
    assert!(sent(&mut bench).is_empty());
    bench.frame(&ping);
    assert_eq!(sent(&mut bench).len(), 1);
}

#[test]
fn fragments_are_counted() {
    let mut bench = Bench::new();
    for [high, low] in [[0x20, 0], [0, 1], [0x20, 1], [0x1f, 0xff]] {
        let mut frame = ipv4(PEER, US, 1, &echo(b"ping"));
        frame[20..22].copy_from_slice(&[high, low]);
        resum(&mut frame);
        bench.frame(&frame);
    }
    assert_eq!(bench.count(Count::Fragment), 4);
    assert!(sent(&mut bench).is_empty());
}

/// RFC 9293 §3.9.2.3: a SYN to a broadcast address is nothing.
#[test]
fn segments_to_all_are_not_answered() {
    let mut bench = Bench::new();
    bench.listen();
    let syn = bench.segment("S 0+0 a0 w8000");
    for to in [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255), US] {
        let to = SocketAddrV4::new(to, 80);
        let mut frame = Segment { to, ..syn.clone() }.frame();
        frame[..6].copy_from_slice(&EVERYBODY);
        bench.frame(&frame);
    }
    assert!(sent(&mut bench).is_empty());
    assert_eq!((bench.count(Count::Tcp), bench.host.connections()), (3, 0));
}

#[test]
fn a_host_without_memory_harms_nobody() {
    let none = mirage_tiny::Sizes { connections: 0, buffer: 0, listeners: 0, neighbours: 0, sockets: 0, datagrams: 0 };
    let mut host = Host::new(OUR_MAC, 1_500, Storage::allocate(none), [7; 16]);
    host.set_address(Ipv4Cidr::new(US, 24).expect("24 is a prefix length"));
    let mut wire = Wire::default();
    assert!(host.listen(80, Default::default()).is_err());
    assert!(host.bind(53).is_err());
    assert!(host.connect(SocketAddrV4::new(PEER, 80), &TcpOptions::default()).is_err());
    for frame in
        [ipv4(PEER, US, 1, &echo(b"ping")), arp(1, (PEER_MAC, PEER), ([0; 6], US)), ipv4(PEER, US, 17, &[0; 20])]
    {
        host.input(Instant::ZERO, &Frame::new(&frame), &mut wire);
    }
}

/// RFC 9293 §3.9.2.3 (MUST-46).
#[test]
fn there_are_no_connections_to_nobody_or_to_all() {
    let groups =
        [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255), Ipv4Addr::new(224, 0, 0, 1), Ipv4Addr::UNSPECIFIED];
    let mut bench = Bench::new();
    for address in groups {
        let refused = bench.host.connect(SocketAddrV4::new(address, 80), &TcpOptions::default());
        assert_eq!(refused, Err(ErrorKind::HostUnreachable));
    }
    let far = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 80);
    assert!(bench.host.connect(far, &TcpOptions::default()).is_ok());
    assert_eq!(alone().host.connect(far, &TcpOptions::default()), Err(ErrorKind::HostUnreachable));
}
