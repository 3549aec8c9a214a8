//! What a stack must survive: one test for each known attack on TCP.

extern crate alloc;

mod support;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::task::Poll;

use mirage_protocols::{Cast, IcmpError, IcmpErrorKind, Protocol, Received};
use support::*;

#[test]
fn segment_smack_fills_neither_the_pool_nor_time() {
    // CVE-2018-5390: tiny segments out of order, each of which costs memory and a walk.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for scrap in (2..60_000).step_by(2) {
        let _ = host.input(&peer.data(scrap, 1, b"x"));
    }
    host.output();
    let stats = host.tcp.stats();
    assert!(stats.blocks_in_use <= 64, "{stats:?}");
    assert!(host.tcp.info(id).unwrap().out_of_order <= u32::from(Config::default().out_of_order_ranges));
    host.answer(&peer.data(1, 1, b"o"));
    assert_eq!(host.read(id), b"ox", "and the stream goes on");
}

#[test]
fn sack_panic_a_tiny_mss_does_not_make_tiny_segments() {
    // CVE-2019-11477, CVE-2019-11479.
    for mss in [Some(0), Some(1), Some(8), Some(48)] {
        let mut host = Host::default();
        let (_, id) = accepted(&mut host, Handshake { mss, ..Handshake::default() });
        host.write(id, &pattern(2000));
        let first = host.output().remove(0);
        assert!(first.payload.len() >= 88, "MSS {mss:?}: {first:?}");
    }
}

#[test]
fn blind_reset_needs_the_exact_number() {
    // CVE-2004-0230.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for seq in (0..4_294_000_000_u32).step_by(16_000_017) {
        if seq != 1 {
            host.answer(&peer.segment(RST, seq, 0));
        }
    }
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn blind_syn_does_not_reset() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for seq in (0..4_294_000_000_u32).step_by(16_000_017) {
        host.answer(&peer.segment(SYN, seq, 0));
    }
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn blind_data_needs_a_plausible_acknowledgement() {
    // RFC 5961 §5.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for ack in (70_000..4_294_000_000_u32).step_by(16_000_017).filter(|ack| ack.wrapping_add(65_535) > 65_535) {
        host.answer(&peer.data(1, ack, b"blind"));
    }
    assert_eq!(host.read(id), b"");
}

#[test]
fn challenges_leak_nothing_to_other_connections() {
    // CVE-2016-5696: whoever exhausts his own challenges must not exhaust those of others.
    let mut host = Host::default();
    let (victim, _) = accepted(&mut host, Handshake::default());
    let attacker = {
        let mut attacker = Peer::new(80, 6666);
        attacker.irs = host.answer(&attacker.segment(SYN, 0, 0))[0].seq;
        host.answer(&attacker.segment(ACK, 1, 1));
        attacker
    };
    for _ in 0..5000 {
        host.answer(&attacker.segment(RST, 2, 0));
    }
    assert_eq!(host.answer(&victim.segment(RST, 2, 0)).len(), 1);
}

fn icmp(host: &mut Host, about: &Segment, kind: IcmpErrorKind, seq: u32) -> Result<(), Discard> {
    let quoted = about.clone().seq(seq).bytes();
    host.tcp.on_icmp_error(
        host.now,
        &IcmpError {
            kind,
            reporter: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            source: about.from.ip(),
            destination: about.to.ip(),
            protocol: Protocol::TCP,
            quoted: &quoted[..8],
        },
    )
}

#[test]
fn blind_icmp_errors_do_not_reset() {
    // CVE-2004-0790, RFC 5927 §5.2: hard errors are soft once the connection is up.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, b"data in flight");
    let sent = host.output().remove(0);
    for kind in [IcmpErrorKind::PortUnreachable, IcmpErrorKind::ProtocolUnreachable, IcmpErrorKind::HostUnreachable] {
        let _ = icmp(&mut host, &sent, kind, sent.seq);
    }
    host.answer(&peer.segment(ACK, 1, 15));
    assert_eq!(host.tcp.state(id), Some(State::Established));
    assert_eq!(host.write(id, b"on"), 2);
}

#[test]
fn icmp_errors_about_what_is_not_in_flight_are_discarded() {
    // RFC 5927 §4.1.
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    assert!(icmp(&mut host, &syn, IcmpErrorKind::PortUnreachable, syn.seq.wrapping_add(5000)).is_err());
    assert!(icmp(&mut host, &syn, IcmpErrorKind::PortUnreachable, syn.seq.wrapping_sub(1)).is_err());
    let mut other = syn.clone();
    other.from.set_port(1);
    assert!(icmp(&mut host, &other, IcmpErrorKind::PortUnreachable, syn.seq).is_err());
    assert_eq!(host.tcp.state(id), Some(State::SynSent));
}

#[test]
fn a_true_icmp_error_refuses_a_connection_that_is_being_opened() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    icmp(&mut host, &syn, IcmpErrorKind::PortUnreachable, syn.seq).unwrap();
    assert!(matches!(host.connected(id), Poll::Ready(Err(_))));
}

#[test]
fn only_a_dead_neighbour_of_our_own_ends_an_attempt_at_once() {
    // RFC 5461 §2.2: what a router says of a host may pass; that our own neighbour does not answer, we know ourselves.
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    icmp(&mut host, &syn, IcmpErrorKind::HostUnreachable, syn.seq).unwrap();
    assert_eq!(host.tcp.state(id), Some(State::SynSent));
    let quoted = syn.bytes();
    let error = IcmpError {
        kind: IcmpErrorKind::HostUnreachable,
        reporter: syn.from.ip(),
        source: syn.from.ip(),
        destination: syn.to.ip(),
        protocol: Protocol::TCP,
        quoted: &quoted[..8],
    };
    host.tcp.on_icmp_error(host.now, &error).unwrap();
    assert_eq!(host.connected(id), Poll::Ready(Err(Error::HostUnreachable)));
}

#[test]
fn a_short_icmp_quote_is_discarded() {
    let mut host = Host::default();
    for len in 0..8 {
        let error = IcmpError {
            kind: IcmpErrorKind::PortUnreachable,
            reporter: THERE,
            source: HERE,
            destination: THERE,
            protocol: Protocol::TCP,
            quoted: &[0; 8][..len],
        };
        assert!(host.tcp.on_icmp_error(host.now, &error).is_err());
    }
}

#[test]
fn land_a_segment_from_ourselves_is_dropped() {
    // CVE-1999-0016.
    let mut host = Host::default();
    host.listen(80);
    let here = SocketAddr::new(HERE, 80);
    assert_eq!(host.answer(&Segment::new(here, here, SYN)), []);
    assert_eq!(host.tcp.stats().half_open, 0);
}

#[test]
fn segments_from_nobody_and_to_everybody_are_dropped() {
    let mut host = Host::default();
    host.listen(80);
    for from in [[0, 0, 0, 0], [224, 0, 0, 1], [255, 255, 255, 255]] {
        let from = SocketAddr::new(IpAddr::from(from), 4000);
        assert_eq!(host.answer(&Segment::new(from, SocketAddr::new(HERE, 80), SYN)), [], "{from}");
    }
    let from = SocketAddr::new(IpAddr::V6(Ipv6Addr::from_bits(0xff02 << 112 | 1)), 4000);
    let to = SocketAddr::new(IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | 1)), 80);
    assert_eq!(host.answer(&Segment::new(from, to, SYN)), []);
    // Smurf and its like: a SYN to a group or to everybody.
    let syn = Peer::new(80, 4000).segment(SYN, 0, 0);
    let bytes = syn.bytes();
    for cast in [Cast::Multicast, Cast::Broadcast] {
        let received = Received { cast, ..Received::new(THERE, HERE, &bytes) };
        assert!(host.tcp.input(host.now, &received).is_err());
        assert_eq!(host.output(), []);
    }
    assert_eq!(host.tcp.stats().half_open, 0);
}

#[test]
fn syn_flood_takes_no_connection_and_no_buffer_and_shuts_nobody_out() {
    // CVE-1999-0116, RFC 4987.
    let mut host = Host::default();
    let listener = host.listen(80);
    for flood in 0..20_000_u32 {
        let from =
            SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0xc000_0200 + flood % 251)), (flood % 60_000) as u16 + 1);
        let _ = host.input(&Segment::new(from, SocketAddr::new(HERE, 80), SYN).seq(flood));
        if flood % 100 == 0 {
            host.output();
        }
    }
    host.output();
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.blocks_in_use), (0, 0));
    assert!(stats.half_open <= 16);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0).options(&Handshake::default().options()))[0].seq;
    host.answer(&peer.segment(ACK, 1, 1));
    let id = host.accept(listener).expect("an honest peer still comes in");
    host.answer(&peer.data(1, 1, b"hello"));
    assert_eq!(host.read(id), b"hello");
}

#[test]
fn sockstress_a_window_closed_for_ever_is_given_up() {
    // CVE-2008-4609: the peer acknowledges probes and never opens its window.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { window: 0, ..Handshake::default() });
    host.write(id, &pattern(50_000));
    host.tcp.close(id);
    for _ in 0..600 {
        for probe in host.sent_within(s(1)) {
            let _ = probe;
            host.answer(&peer.segment(ACK, 1, 1));
        }
    }
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.blocks_in_use), (0, 0), "an orphan is not kept alive by a closed window");
}

#[test]
fn fin_wait_2_of_an_orphan_ends() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(ACK, 1, 2));
    host.pass(s(130));
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.time_wait), (0, 0));
}

#[test]
fn time_wait_holds_no_connection_and_no_block_and_is_bounded() {
    let mut host = Host::new(Config::default(), Sizes { time_wait: 4, ..Sizes::default() });
    let listener = host.listen(80);
    for port in 0..20 {
        let mut peer = Peer::new(80, 4000 + port);
        peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
        host.answer(&peer.segment(ACK, 1, 1));
        let id = host.accept(listener).unwrap();
        host.tcp.close(id);
        host.output();
        host.answer(&peer.segment(FIN | ACK, 1, 2));
    }
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.time_wait, stats.blocks_in_use), (0, 4, 0));
    assert_eq!(stats.time_wait_evicted, 16);
}

#[test]
fn time_wait_is_not_assassinated() {
    // RFC 1337.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert_eq!(host.tcp.stats().time_wait, 1);
    for seq in [0, 1, 2, 3, 1000] {
        host.answer(&peer.segment(RST, seq, 0));
        host.answer(&peer.segment(RST | ACK, seq, 2));
    }
    assert_eq!(host.tcp.stats().time_wait, 1);
}

#[test]
fn optimistic_acknowledgements_gain_nothing() {
    // CERT VU#102014.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(7), ..Handshake::default() });
    host.write(id, &pattern(200_000));
    let flight: usize = host.output().iter().map(|segment| segment.payload.len()).sum();
    let sent = host.answer(&peer.segment(ACK, 1, 1 + flight as u32 + 1460));
    let more: usize = sent.iter().map(|segment| segment.payload.len()).sum();
    assert_eq!(more, 0, "what was never sent cannot be acknowledged");
    assert_eq!(host.tcp.info(id).unwrap().in_flight as usize, flight);
}

#[test]
fn ack_division_gains_nothing() {
    // Savage et al. 1999.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(7), ..Handshake::default() });
    host.write(id, &pattern(200_000));
    host.output();
    let before = host.tcp.info(id).unwrap().cwnd;
    for byte in 0..1460 {
        host.answer(&peer.segment(ACK, 1, 2 + byte));
    }
    let after = host.tcp.info(id).unwrap().cwnd;
    assert!(after <= before + 1460, "{before} to {after}");
}

#[test]
fn spoofed_duplicate_acknowledgements_gain_nothing() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(7), ..Handshake::default() });
    host.write(id, &pattern(250_000));
    let flight: usize = host.output().iter().map(|segment| segment.payload.len()).sum();
    let mut sent = 0;
    for _ in 0..1000 {
        sent += host.answer(&peer.segment(ACK, 1, 1)).iter().map(|segment| segment.payload.len()).sum::<usize>();
    }
    assert!(sent <= flight + 3 * 1460, "{sent} bytes for {flight} in flight");
}

#[test]
fn initial_sequence_numbers_cannot_be_foreseen() {
    // CVE-1999-0077, RFC 6528.
    let mut host = Host::new(Config::default(), Sizes { half_open: 200, ..Sizes::default() });
    host.listen(80);
    let mut numbers: Vec<u32> =
        (0..200).map(|port| host.answer(&Peer::new(80, 4000 + port).segment(SYN, 0, 0))[0].seq).collect();
    let steps: alloc::collections::BTreeSet<u32> =
        numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.len() > 190, "no fixed step between connections");
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() > 195);
    let mut rebooted = Host::at([10, 0, 0, 9], Config::default(), Sizes::default());
    rebooted.ip = host.ip.clone();
    rebooted.listen(80);
    let again = rebooted.answer(&Peer::new(80, 4000).segment(SYN, 0, 0))[0].seq;
    assert!(!numbers.contains(&again), "another secret, another number");
}

#[test]
fn local_ports_cannot_be_foreseen() {
    // RFC 6056: towards different peers, the next port does not follow from the last.
    let mut host = Host::default();
    let ports: Vec<u16> = (0..10)
        .map(|peer| {
            host.connect(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, peer)), 80)).unwrap();
            host.output().remove(0).from.port()
        })
        .collect();
    let near = ports.windows(2).filter(|pair| pair[1].abs_diff(pair[0]) < 16).count();
    assert!(near < 3, "{ports:?}");
}

#[test]
fn timestamps_of_ours_do_not_leak_the_clock() {
    // RFC 7323 §7.1.
    let mut host = Host::default();
    host.listen(80);
    let offered = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
    let mut first = |port| {
        let sent = host.answer(&Peer::new(80, port).segment(SYN, 0, 0).options(&offered));
        let option = sent[0].option(8).unwrap().to_vec();
        u32::from_be_bytes(option[..4].try_into().unwrap())
    };
    // Each connection counts from elsewhere.
    assert!(first(4000).abs_diff(first(4001)) > 1_000_000);
}

#[test]
fn paws_poisoning_a_strange_timestamp_stops_nothing() {
    // CVE-2005-0356.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let future = [1, 1, 8, 10, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    let past = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0];
    host.answer(&peer.data(50_000, 1, b"poison").options(&future));
    host.answer(&peer.data(1, 1, b"hello").options(&past));
    assert_eq!(host.read(id), b"hello");
}

#[test]
fn a_window_that_shrinks_below_what_is_in_flight_does_not_underflow() {
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(60_000));
    let flight: usize = host.output().iter().map(|segment| segment.payload.len()).sum();
    assert!(flight > 10_000);
    peer.window = 100;
    let sent = host.answer(&peer.segment(ACK, 1, 1461));
    assert_eq!(sent, []);
    peer.window = 0;
    host.answer(&peer.segment(ACK, 1, 2921));
    peer.window = 65_535;
    let sent = host.answer(&peer.segment(ACK, 1, 1 + flight as u32));
    assert!(!sent.is_empty());
}

#[test]
fn urgent_pointers_are_only_numbers() {
    // URGENT/11, CVE-2019-12255 to -12265.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for (place, pointer) in [0, 1, 2, 0x7fff, 0xffff].into_iter().enumerate() {
        host.answer(&peer.data(1 + 4 * place as u32, 1, b"data").urgent(pointer));
    }
    host.answer(&peer.segment(ACK, 21, 1).urgent(0xffff));
    assert_eq!(host.read(id), b"data".repeat(5));
}

#[test]
fn option_loops_end() {
    // AMNESIA:33, CVE-2020-24337 and its like: lengths of 0 and 1, lengths past the end.
    for bogus in [[3, 0, 0, 0], [8, 1, 0, 0], [5, 255, 1, 1], [2, 2, 2, 2], [255, 0, 255, 0], [0, 0, 0, 0]] {
        let mut host = Host::default();
        let listener = host.listen(80);
        let mut peer = Peer::new(80, 4000);
        peer.irs = host.answer(&peer.segment(SYN, 0, 0).options(&bogus.repeat(10)))[0].seq;
        host.answer(&peer.data(1, 1, b"ok").options(&bogus.repeat(10)));
        let id = host.accept(listener).unwrap();
        assert_eq!(host.read(id), b"ok", "{bogus:?}");
    }
}

#[test]
fn a_flood_does_not_make_one_call_run_long() {
    // A machine that answers a flood must give way to others: a budget for each call.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(7), ..Handshake::default() });
    for flood in 0..1000_u16 {
        let from = SocketAddr::new(THERE, 10_000 + flood);
        let _ = host.input(&Segment::new(from, SocketAddr::new(HERE, 81), SYN));
        let _ = host.input(&peer.data(50_000, 1, b"x"));
    }
    host.write(id, &pattern(14_000));
    let mut calls = 0;
    loop {
        let more = host.tcp.poll_transmit(host.now, &mut host.ip, 3).unwrap();
        assert!(host.ip.sent.len() <= 3);
        host.ip.sent.clear();
        calls += 1;
        assert!(calls < 1000);
        if !more {
            break;
        }
    }
    assert!(calls > 1);
}

#[test]
fn resets_for_strangers_are_limited() {
    let config = Config { resets_per_second: 10, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let mut resets = 0;
    for port in 1..1000 {
        resets += host.answer(&Peer::new(81, port).segment(SYN, 0, 0)).len();
    }
    assert!((1..=20).contains(&resets), "{resets}");
    host.pass(s(1));
    assert_eq!(host.answer(&Peer::new(81, 5000).segment(SYN, 0, 0)).len(), 1);
}

#[test]
fn christmas_trees_and_all_flags_at_once_do_nothing() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for flags in 0..=255_u8 {
        if flags & (RST | SYN) == RST || flags & (FIN | ACK | SYN | RST) == FIN | ACK {
            continue;
        }
        host.answer(&peer.segment(flags, 40_000, 1));
        host.answer(&Peer::new(80, 999).segment(flags & !SYN, 0, 0));
    }
    assert_eq!(host.tcp.state(id), Some(State::Established));
    assert_eq!(host.tcp.stats().half_open, 0);
}
