//! Attacks by mass: everybody else is still served, memory stays within its bounds, and so does the work for each segment.

mod support;

use core::net::{Ipv4Addr, SocketAddr};
use core::task::Poll;

use support::*;

/// A random number (SplitMix64).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Lets time pass for two machines and carries what they send to each other; answers to strangers lead nowhere.
fn carry(client: &mut Host, server: &mut Host, span: Duration) {
    let now = client.now + span;
    for host in [&mut *client, &mut *server] {
        host.now = now;
        host.tcp.handle_timeout(now);
    }
    let here = client.address();
    for segment in server.output() {
        if segment.to.ip() == here {
            let _ = client.input(&segment);
        }
    }
    for segment in client.output() {
        let _ = server.input(&segment);
    }
}

/// A SYN from a random address and port.
fn stranger(server: &Host, seed: &mut u64) -> Segment {
    let drawn = random(seed);
    let bytes = drawn.to_le_bytes();
    let address = Ipv4Addr::new(11 + bytes[0] % 100, bytes[1], bytes[2], bytes[3]);
    let port = u16::from_le_bytes([bytes[4], bytes[5]]).max(1);
    Segment::new(SocketAddr::new(address.into(), port), SocketAddr::new(server.address(), 80), SYN)
        .seq(drawn as u32)
        .options(&[2, 4, 5, 180])
}

/// RFC 4987: a million SYNs within ten seconds, while a hundred honest clients come, send, and leave.
#[test]
fn a_million_syns_keep_none_of_a_hundred_honest_clients_out() {
    const CLIENTS: usize = 100;
    const LEN: usize = 10_000;
    let sizes = Sizes { connections: CLIENTS, half_open: 64, blocks: 1024, ..Sizes::default() };
    let mut server = Host::new(Config::default(), sizes);
    let mut client = Host::at([10, 0, 0, 2], Config::default(), Sizes { time_wait: CLIENTS, ..sizes });
    let listener = server.listen(80);
    let door = SocketAddr::new(server.address(), 80);
    let mut seed = 1;
    let (mut opened, mut served) = (Vec::new(), Vec::new());
    let (mut complete, mut closed) = (0, 0);
    for millis in 0..10_000 {
        for _ in 0..10 {
            for _ in 0..10 {
                let syn = stranger(&server, &mut seed);
                let _ = server.input(&syn);
            }
            carry(&mut client, &mut server, Duration::from_micros(100));
        }
        if millis % 50 == 0 && opened.len() < CLIENTS {
            opened.push((client.connect(door).expect("there is a slot"), false));
        }
        for (id, sent) in &mut opened {
            if !*sent && client.connected(*id) == Poll::Ready(Ok(())) {
                assert_eq!(client.write(*id, &pattern(LEN)), LEN);
                client.tcp.close(*id);
                *sent = true;
            }
        }
        if let Some(id) = server.accept(listener) {
            served.push((id, 0));
        }
        served.retain_mut(|(id, read)| {
            let bytes = match server.read_some(*id, LEN) {
                Poll::Ready(bytes) => bytes.expect("an honest client does not reset"),
                Poll::Pending => return true,
            };
            assert!(bytes.iter().zip(*read..).all(|(found, place)| usize::from(*found) == place % 251));
            *read += bytes.len();
            if !bytes.is_empty() {
                return true;
            }
            complete += usize::from(*read == LEN);
            server.tcp.close(*id);
            closed += 1;
            false
        });
        let stats = server.tcp.stats();
        assert!(stats.half_open <= 64 && stats.connections <= 100, "{stats:?}");
    }
    assert_eq!((opened.len(), complete, closed), (CLIENTS, CLIENTS, CLIENTS));
    let stats = server.tcp.stats();
    assert_eq!((stats.connections, stats.blocks_in_use), (0, 0), "nothing is left of them");
    assert!(stats.segments_in > 1_000_000 && stats.cookies_sent > 900_000, "{stats:?}");
}

/// The SACK flood (CVE-2019-11478): a peer that acknowledges its stream in crumbs, so that each further block is looked for
/// in a long list.
#[test]
fn a_sack_flood_costs_a_bounded_number_of_steps_for_each_segment() {
    const RUNS: u64 = 256;
    let mut host =
        Host::new(Config { send_buffer: 1 << 20, ..Config::default() }, Sizes { blocks: 2048, ..Sizes::default() });
    let handshake = Handshake { scale: Some(7), selective: true, ..Handshake::default() };
    let (peer, id) = accepted(&mut host, handshake);
    // A window of 200 kB: some round trips, then one that is not acknowledged.
    let (mut una, mut flight) = (1, 0);
    for _ in 0..20 {
        una += flight;
        host.answer(&peer.segment(ACK, 1, una));
        host.write(id, &pattern(500_000));
        host.pass(ms(10));
        flight = host.tcp.info(id).expect("the connection is there").in_flight;
        if flight > 200_000 {
            break;
        }
    }
    assert!(flight > 200_000, "{flight}");
    let mss = u32::from(host.tcp.info(id).expect("the connection is there").send_mss);
    let (mut most, mut seed) = (0, 7);
    for _ in 0..20_000 {
        let mut options = vec![1, 1, 5, 34];
        for _ in 0..4 {
            // Whole segments: what is less counts for nothing.
            let start = una + mss * (1 + random(&mut seed) % u64::from(flight / mss - 2)) as u32;
            options.extend(peer.irs.wrapping_add(start).to_be_bytes());
            options.extend(peer.irs.wrapping_add(start + mss).to_be_bytes());
        }
        let before = host.tcp.stats().steps;
        let _ = host.input(&peer.segment(ACK, 1, una).options(&options));
        most = most.max(host.tcp.stats().steps - before);
        host.output();
    }
    assert!(most > RUNS / 4, "the test makes it walk: {most}");
    assert!(most <= 4 * RUNS, "{most} steps for one segment");
    let sent = host.answer(&peer.segment(ACK, 1, una + flight));
    assert!(sent.iter().any(|segment| !segment.payload.is_empty()), "the stream goes on");
}

/// SegmentSmack (CVE-2018-5390): crumbs behind holes. What is kept is bounded, whatever order they come in.
#[test]
fn a_flood_of_crumbs_is_kept_within_bounds_in_any_order() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(2), selective: true, ..Handshake::default() });
    let config = Config::default();
    let mut seed = 3;
    for _ in 0..100_000 {
        let seq = 3 + (random(&mut seed) % 200_000) as u32;
        let _ = host.input(&peer.data(seq, 1, b"x"));
        host.output();
        let info = host.tcp.info(id).expect("the connection is there");
        assert!(info.out_of_order <= config.out_of_order_bytes);
        assert!(host.tcp.stats().blocks_in_use <= 2 * u32::from(config.out_of_order_ranges));
    }
    let _ = host.input(&peer.data(1, 1, b"ab"));
    assert!(host.read(id).starts_with(b"ab"), "the stream goes on");
}

/// Sockstress (CVE-2008-4609): peers that ask for much and take nothing.
#[test]
fn a_hundred_closed_windows_starve_nobody_and_are_given_up() {
    let sizes = Sizes { connections: 101, half_open: 16, blocks: 1024, ..Sizes::default() };
    let mut host = Host::new(Config::default(), sizes);
    let listener = host.listen(80);
    let mut stressed = Vec::new();
    for port in 0..100 {
        let mut peer = Peer::new(80, 5000 + port);
        peer.window = 0;
        peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
        host.answer(&peer.segment(ACK, 1, 1));
        let id = host.accept(listener).expect("it waits");
        let _ = host.try_write(id, &pattern(60_000));
        stressed.push((peer, id));
    }
    assert!(host.tcp.stats().blocks_in_use > 100, "they hold memory");
    let mut honest = Peer::new(80, 4000);
    honest.irs = host.answer(&honest.segment(SYN, 0, 0).options(&Handshake::default().options()))[0].seq;
    host.answer(&honest.segment(ACK, 1, 1));
    let id = host.accept(listener).expect("it waits");
    let (mut written, mut read) = (0, 0);
    for _ in 0..2000 {
        if written < 500_000
            && let Poll::Ready(Ok(count)) = host.try_write(id, &pattern(500_000)[written..])
        {
            written += count;
        }
        for segment in host.output().into_iter().filter(|segment| segment.to.port() == 4000) {
            read = read.max(honest.seq(&segment) as usize - 1 + segment.payload.len());
        }
        host.answer(&honest.segment(ACK, 1, 1 + read as u32));
        host.pass(ms(1));
    }
    assert_eq!((written, read), (500_000, 500_000), "who reads is served");
    // Half of their applications leave, half hold on; half of the peers answer every probe, half fall silent.
    for (_, id) in stressed.iter().step_by(2) {
        host.tcp.close(*id);
    }
    for _ in 0..400 {
        for segment in host.sent_within(s(1)) {
            let number = usize::from(segment.to.port()).wrapping_sub(5000);
            if let Some((peer, _)) = stressed.get(number).filter(|_| number < 50) {
                let _ = host.input(&peer.segment(ACK, 1, 1));
            }
        }
    }
    let left: Vec<usize> =
        (0..100).filter(|number| host.tcp.state(stressed[*number].1) == Some(State::Established)).collect();
    assert_eq!(left, (0..50).skip(1).step_by(2).collect::<Vec<_>>(), "only who is held and answers is kept");
}
