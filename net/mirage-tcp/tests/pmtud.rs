//! What the path takes: claims of routers (RFC 1191, RFC 8201, RFC 5927 §7.2), and finding out where they are silent
//! (RFC 4821, RFC 8899).

mod support;

use core::net::{IpAddr, Ipv4Addr};

use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol};
use support::*;

/// A connection whose peer tells what it has.
fn selective(host: &mut Host, port: u16) -> (Peer, ConnectionId) {
    let listener = host.listen(port);
    let mut peer = Peer::new(port, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&[2, 4, 5, 180, 4, 2, 3, 3, 7])).remove(0);
    peer.irs = syn_ack.seq;
    host.pass(ms(20));
    host.answer(&peer.segment(ACK, 1, 1));
    (peer, host.accept(listener).unwrap())
}

/// A router says that the path takes packets of `mtu` bytes only, and quotes the segment with this number.
fn complain(host: &mut Host, peer: &Peer, mtu: u16, seq: u32) {
    let quoted = peer.segment(ACK, 0, 0);
    let mut bytes = [0; 8];
    bytes[..2].copy_from_slice(&quoted.to.port().to_be_bytes());
    bytes[2..4].copy_from_slice(&quoted.from.port().to_be_bytes());
    bytes[4..].copy_from_slice(&peer.irs.wrapping_add(seq).to_be_bytes());
    let error = IcmpError {
        kind: IcmpErrorKind::FragmentationNeeded { mtu },
        reporter: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        source: quoted.to.ip(),
        destination: quoted.from.ip(),
        protocol: Protocol::TCP,
        quoted: &bytes,
    };
    host.tcp.on_icmp_error(host.now, &error).unwrap();
}

fn mss(host: &Host, id: ConnectionId) -> u16 {
    host.tcp.tcp_info(id, host.now).unwrap().snd_mss
}

fn longest(sent: &[Segment]) -> usize {
    sent.iter().map(|segment| segment.payload.len()).max().unwrap_or(0)
}

/// The path takes payloads of up to `takes` bytes and drops others without a word; what comes through is acknowledged after
/// 20 ms, with what lies behind holes. Goes on until all of `stream` is acknowledged; gives how long that took, and the lengths
/// of the first sendings that were dropped.
fn over_a_black_hole(
    host: &mut Host,
    peer: &Peer,
    id: ConnectionId,
    stream: &[u8],
    takes: usize,
) -> (Duration, Vec<usize>) {
    let (start, mut written, mut dropped) = (host.now, 0, Vec::new());
    let base = host.tcp.tcp_info(id, host.now).unwrap().bytes_acked;
    let mut here = vec![false; stream.len()];
    while host.tcp.tcp_info(id, host.now).unwrap().bytes_acked - base < stream.len() as u32 {
        assert!(host.now < start + s(120), "it hangs");
        written += host.write(id, &stream[written..]);
        let mut news = Vec::new();
        for (_, segment) in host.pass(ms(20)) {
            let at = (peer.seq(&segment) - 1 - base) as usize;
            let end = at + segment.payload.len();
            if segment.payload.len() > takes {
                dropped.push(segment.payload.len());
                continue;
            }
            if !segment.payload.is_empty() {
                assert_eq!(segment.payload, stream[at..end], "the right bytes");
                here[at..end].fill(true);
                news.push((at as u32, end as u32));
            }
        }
        for (at, end) in news {
            let ack = here.iter().take_while(|here| **here).count() as u32;
            let mut answer = peer.segment(ACK, 1, 1 + base + ack);
            if at > ack {
                let mut options = vec![1, 1, 5, 10];
                options.extend(peer.irs.wrapping_add(1 + base + at).to_be_bytes());
                options.extend(peer.irs.wrapping_add(1 + base + end).to_be_bytes());
                answer = answer.options(&options);
            }
            host.input(&answer).unwrap();
        }
    }
    (host.now - start, dropped)
}

// --- what routers claim ----------------------------------------------------------------------------------------------

#[test]
fn before_anything_arrived_a_claim_counts_at_once() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    host.write(id, &pattern(2920));
    host.output();
    complain(&mut host, &peer, 1400, 1);
    let again = host.output();
    assert_eq!((mss(&host, id), longest(&again)), (1360, 1360));
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().pmtu, 1400);
}

#[test]
fn once_full_segments_arrived_a_claim_waits_for_a_timeout() {
    // RFC 5927 §7.2: a blind attacker cannot slow down a connection that makes progress.
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    host.write(id, &pattern(1460));
    host.output();
    host.answer(&peer.segment(ACK, 1, 1461));
    host.write(id, &pattern(1460));
    host.output();
    complain(&mut host, &peer, 1000, 1461);
    assert_eq!((host.output(), mss(&host, id)), (vec![], 1460), "only remembered");
    let again = host.sent_within(ms(600));
    assert_eq!((mss(&host, id), again.last().unwrap().payload.len() <= 960), (960, true), "confirmed: {again:?}");
}

#[test]
fn progress_refutes_a_claim() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    host.write(id, &pattern(1460));
    host.output();
    host.answer(&peer.segment(ACK, 1, 1461));
    host.write(id, &pattern(2920));
    host.output();
    complain(&mut host, &peer, 1000, 1461);
    host.answer(&peer.segment(ACK, 1, 2921));
    let again = host.sent_within(ms(300));
    assert!(!again.is_empty());
    assert_eq!(mss(&host, id), 1460, "what it quoted has arrived; the timeout is about something else");
}

#[test]
fn a_claim_that_says_no_number_means_the_next_plateau() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    for (length, expected) in [(1460, 1452), (1452, 966), (966, 512), (512, 512)] {
        host.write(id, &pattern(length));
        host.output();
        let seq = 1 + host.tcp.tcp_info(id, host.now).unwrap().bytes_acked;
        complain(&mut host, &peer, 0, seq);
        assert_eq!(mss(&host, id), expected);
    }
}

#[test]
fn the_next_connection_to_the_same_host_knows_and_forgets_after_ten_minutes() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    host.write(id, &pattern(1460));
    host.output();
    complain(&mut host, &peer, 1400, 1);
    host.output();
    host.tcp.abort(id);
    host.output();
    let (_, second) = selective(&mut host, 81);
    host.write(second, &pattern(3000));
    assert_eq!(longest(&host.output()), 1360);
    host.tcp.abort(second);
    host.pass(s(601));
    let (_, third) = selective(&mut host, 82);
    host.write(third, &pattern(3000));
    assert_eq!(longest(&host.output()), 1460);
}

#[test]
fn a_living_connection_tries_longer_segments_again_after_ten_minutes() {
    let mut host = Host::new(Config { probing: Probing::Never, ..Config::default() }, Sizes::default());
    let (peer, id) = selective(&mut host, 80);
    host.write(id, &pattern(1460));
    host.output();
    complain(&mut host, &peer, 1400, 1);
    host.output();
    host.answer(&peer.segment(ACK, 1, 1461));
    host.pass(s(590));
    assert_eq!(mss(&host, id), 1360);
    host.pass(s(20));
    assert_eq!(mss(&host, id), 1460);
    // And if that was wrong, the router says so again.
    host.write(id, &pattern(1460));
    host.output();
    complain(&mut host, &peer, 1400, 1461);
    assert_eq!((mss(&host, id), longest(&host.output())), (1360, 1360));
}

#[test]
fn claims_about_many_destinations_are_not_remembered_for_ever() {
    let mut host = Host::default();
    let listener = host.listen(80);
    for there in 1..=200 {
        let mut peer = Peer::new(80, 4000);
        peer.there.set_ip(IpAddr::V4(Ipv4Addr::new(10, 9, 0, there)));
        peer.irs = host.answer(&peer.segment(SYN, 0, 0).options(&[2, 4, 5, 180])).remove(0).seq;
        host.answer(&peer.segment(ACK, 1, 1));
        let id = host.accept(listener).unwrap();
        host.write(id, &pattern(1460));
        host.output();
        complain(&mut host, &peer, 1400, 1);
        assert_eq!(longest(&host.output()), 1360);
        host.tcp.abort(id);
        host.output();
    }
}

// --- where routers say nothing ---------------------------------------------------------------------------------------

#[test]
fn full_segments_that_vanish_become_shorter() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    let (span, _) = over_a_black_hole(&mut host, &peer, id, &pattern(20_000), 1200);
    assert!(span < s(3), "{span:?}");
    assert_eq!(host.tcp.stats().black_holes, 1);
    assert!((1024..=1200).contains(&mss(&host, id)), "{}", mss(&host, id));
}

#[test]
fn a_path_that_takes_next_to_nothing_is_found_in_two_steps() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    let (span, _) = over_a_black_hole(&mut host, &peer, id, &pattern(20_000), 600);
    assert!(span < s(6), "{span:?}");
    assert_eq!(host.tcp.stats().black_holes, 2);
}

#[test]
fn whoever_wants_no_probing_gets_none() {
    let mut host = Host::new(Config { probing: Probing::Never, ..Config::default() }, Sizes::default());
    let (_, id) = selective(&mut host, 80);
    host.write(id, &pattern(20_000));
    host.pass(s(30));
    assert_eq!((mss(&host, id), host.tcp.stats().black_holes), (1460, 0));
}

#[test]
fn short_segments_that_vanish_say_nothing_of_the_path() {
    let mut host = Host::default();
    let (_, id) = selective(&mut host, 80);
    host.write(id, &pattern(500));
    host.pass(s(30));
    assert_eq!((mss(&host, id), host.tcp.stats().black_holes), (1460, 0));
}

#[test]
fn after_an_outage_segments_become_long_again() {
    let mut host = Host::default();
    let (peer, id) = selective(&mut host, 80);
    host.write(id, &pattern(1460));
    host.pass(s(2));
    assert_eq!(mss(&host, id), 536.min(mss(&host, id)).max(512));
    host.answer(&peer.segment(ACK, 1, 1461));
    over_a_black_hole(&mut host, &peer, id, &pattern(150_000), 1460);
    assert_eq!(mss(&host, id), 1460);
}

#[test]
fn the_longest_that_the_path_takes_is_found_by_halving() {
    let config = Config { probing: Probing::Always, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (peer, id) = selective(&mut host, 80);
    host.write(id, b"");
    let (_, dropped) = over_a_black_hole(&mut host, &peer, id, &pattern(200_000), 1300);
    let found = mss(&host, id);
    assert!((1292..=1300).contains(&found), "{found}; {dropped:?} were too long");
    assert!((1..=8).contains(&dropped.len()), "{dropped:?}");
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!(info.snd_ssthresh, u32::MAX, "a segment that was too long is no sign of congestion");
    assert_eq!(host.tcp.stats().timeouts, 0);
}

#[test]
fn a_segment_that_is_tried_is_never_cut_by_the_device() {
    let config = Config { probing: Probing::Always, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    host.ip.capabilities.checksum = mirage_net::ChecksumOffload::TCP_V4;
    host.ip.capabilities.segmentation = mirage_net::SegmentationOffload::TCP_V4;
    host.ip.capabilities.max_large_frame = 65_000;
    let (peer, id) = selective(&mut host, 80);
    let mut end = 1;
    let mut tried = 0;
    for _ in 0..10 {
        host.write(id, &pattern(60_000));
        while host.tcp.poll_transmit(host.now, &mut host.ip, 16).unwrap() {}
        for sent in host.ip.sent.drain(..) {
            let payload = sent.bytes.len() - 20;
            end += payload as u32;
            tried += usize::from(payload > 1024 && sent.packet.segment_size.is_none());
            if let Some(size) = sent.packet.segment_size {
                assert!(size.get() <= 1024 || tried > 0, "cut to what is known to be taken");
            }
        }
        host.pass(ms(20));
        let _ = host.input(&peer.segment(ACK, 1, end));
    }
    assert!(tried >= 1);
}
