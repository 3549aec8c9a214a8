//! Buffers that grow with need and shrink again; and how much one peer or one listener may hold.

mod support;

use core::net::{IpAddr, Ipv4Addr};

use support::*;

fn roomy() -> Host {
    Host::new(
        Config { receive_window: 4 << 20, send_buffer: 4 << 20, ..Config::default() },
        Sizes { blocks: 8192, ..Sizes::default() },
    )
}

/// A connection with window scaling, over a path with a round trip of 20 ms.
fn scaled(host: &mut Host) -> (Peer, ConnectionId) {
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&[2, 4, 5, 180, 1, 3, 3, 7])).remove(0);
    peer.irs = syn_ack.seq;
    host.pass(ms(20));
    host.answer(&peer.segment(ACK, 1, 1));
    (peer, host.accept(listener).unwrap())
}

/// What the peer may still send.
fn window(host: &Host, id: ConnectionId) -> u32 {
    host.tcp.tcp_info(id, host.now).unwrap().rcv_wnd
}

fn limit(host: &Host, id: ConnectionId) -> u32 {
    host.tcp.tcp_info(id, host.now).unwrap().rcv_space
}

/// The peer sends `bytes` in order from `seq` on; gives the next number.
fn feed(host: &mut Host, peer: &Peer, mut seq: u32, bytes: u32) -> u32 {
    let end = seq + bytes;
    while seq < end {
        let len = (end - seq).min(1460);
        host.answer(&peer.data(seq, 1, &vec![7; len as usize]));
        seq += len;
    }
    seq
}

// --- receiving -------------------------------------------------------------------------------------------------------

#[test]
fn the_window_begins_small() {
    let mut host = roomy();
    let (_, id) = scaled(&mut host);
    host.output();
    assert!(window(&host, id) <= 65_536);
}

#[test]
fn a_peer_that_fills_the_window_each_round_trip_gets_twice_as_much() {
    let mut host = roomy();
    let (peer, id) = scaled(&mut host);
    let mut seq = 1;
    for _ in 0..12 {
        let now = window(&host, id);
        seq = feed(&mut host, &peer, seq, now);
        host.read(id);
        host.output();
        host.pass(ms(20));
    }
    assert_eq!(limit(&host, id), 4 << 20, "the largest");
    assert!(window(&host, id) > 2 << 20);
}

#[test]
fn an_application_that_does_not_read_gets_no_more() {
    let mut host = roomy();
    let (peer, id) = scaled(&mut host);
    let mut seq = 1;
    for _ in 0..12 {
        let now = window(&host, id);
        seq = feed(&mut host, &peer, seq, now);
        host.pass(ms(20));
    }
    assert!(limit(&host, id) <= 128 * 1024, "{}", limit(&host, id));
    assert!(host.tcp.tcp_info(id, host.now).unwrap().rcv_wnd < 2048);
}

#[test]
fn a_peer_that_sends_slowly_gets_no_more() {
    let mut host = roomy();
    let (peer, id) = scaled(&mut host);
    let mut seq = 1;
    for _ in 0..300 {
        seq = feed(&mut host, &peer, seq, 1460);
        host.read(id);
        host.pass(ms(20));
    }
    assert_eq!(limit(&host, id), 65_536);
}

#[test]
fn a_window_that_is_no_longer_needed_shrinks_without_taking_back_what_was_offered() {
    let mut host = roomy();
    let (peer, id) = scaled(&mut host);
    let mut seq = 1;
    for _ in 0..6 {
        let now = window(&host, id);
        seq = feed(&mut host, &peer, seq, now);
        host.read(id);
        host.output();
        host.pass(ms(20));
    }
    let grown = limit(&host, id);
    assert!(grown > 500_000, "{grown}");
    for _ in 0..4000 {
        let end = seq + window(&host, id);
        seq = feed(&mut host, &peer, seq, 1460);
        host.read(id);
        host.pass(ms(20));
        assert!(seq + window(&host, id) >= end, "what was offered stays offered");
    }
    assert!(limit(&host, id) < grown / 2, "{}", limit(&host, id));
}

#[test]
fn a_small_pool_bounds_every_window() {
    let mut host = Host::new(Config::default(), Sizes { blocks: 64, ..Sizes::default() });
    let (peer, id) = scaled(&mut host);
    let mut seq = 1;
    for _ in 0..12 {
        let now = window(&host, id);
        seq = feed(&mut host, &peer, seq, now);
        host.read(id);
        host.output();
        host.pass(ms(20));
    }
    assert!(window(&host, id) <= 64 * 2932 / 2, "{}", window(&host, id));
}

#[test]
fn the_configured_window_is_the_largest() {
    let config = Config { receive_window: 100_000, ..Config::default() };
    let mut host = Host::new(config, Sizes { blocks: 8192, ..Sizes::default() });
    let (peer, id) = scaled(&mut host);
    let mut seq = 1;
    for _ in 0..12 {
        let now = window(&host, id);
        assert!(now <= 100_000);
        seq = feed(&mut host, &peer, seq, now);
        host.read(id);
        host.output();
        host.pass(ms(20));
    }
    assert_eq!(limit(&host, id), 100_000);
}

// --- sending ---------------------------------------------------------------------------------------------------------

#[test]
fn what_may_be_written_grows_with_the_congestion_window_and_shrinks_after_a_pause() {
    let mut host = roomy();
    let (mut peer, id) = scaled(&mut host);
    peer.window = 0xffff;
    let zeroes = vec![0; 8 << 20];
    let first = host.write(id, &zeroes);
    assert_eq!(first, 256 * 1024);
    let mut acked = 1;
    for _ in 0..12 {
        let sent: u32 = host.output().iter().map(|segment| segment.payload.len() as u32).sum();
        host.pass(ms(20));
        for _ in 0..sent.div_ceil(1460) {
            acked = (acked + 1460).min(acked + sent);
            let end = 1 + host.tcp.tcp_info(id, host.now).unwrap().bytes_acked + host.tcp.info(id).unwrap().in_flight;
            acked = acked.min(end);
            host.input(&peer.segment(ACK, 1, acked)).unwrap();
        }
        host.write(id, &zeroes);
    }
    let info = host.tcp.info(id).unwrap();
    assert!(info.send_queued > 512 * 1024, "{info:?}");
    assert!(info.send_queued <= 4 << 20, "{info:?}");
    // All of it is acknowledged; then nothing is written for a while.
    for _ in 0..40 {
        host.output();
        host.pass(ms(20));
        let info = host.tcp.info(id).unwrap();
        let end = 1 + host.tcp.tcp_info(id, host.now).unwrap().bytes_acked + info.in_flight;
        host.input(&peer.segment(ACK, 1, end)).unwrap();
    }
    assert_eq!(host.tcp.info(id).unwrap().send_queued, 0);
    host.pass(s(60));
    host.write(id, b"x");
    host.output();
    assert!(host.write(id, &zeroes) <= 512 * 1024);
}

#[test]
fn the_configured_send_buffer_is_the_largest() {
    let mut host = Host::new(Config { send_buffer: 10_000, ..Config::default() }, Sizes::default());
    let (_, id) = scaled(&mut host);
    assert_eq!(host.write(id, &pattern(50_000)), 10_000);
    assert!(!host.tcp.can_write(id));
}

// --- peers and listeners ---------------------------------------------------------------------------------------------

/// A SYN of this peer, and whether it was answered.
fn knock(host: &mut Host, peer: &mut Peer) -> bool {
    let sent = host.answer(&peer.segment(SYN, 0, 0));
    sent.first().is_some_and(|syn_ack| {
        peer.irs = syn_ack.seq;
        syn_ack.is(SYN | ACK)
    })
}

#[test]
fn one_address_holds_no_more_than_it_may() {
    let mut host = Host::new(Config { per_peer: 3, ..Config::default() }, Sizes::default());
    let listener = host.listen(80);
    let mut greedy: Vec<Peer> = (0..5).map(|port| Peer::new(80, 4000 + port)).collect();
    let answered: Vec<bool> = greedy.iter_mut().map(|peer| knock(&mut host, peer)).collect();
    assert_eq!(answered, [true, true, true, false, false]);
    for peer in &greedy[..3] {
        host.answer(&peer.segment(ACK, 1, 1));
    }
    assert!(!knock(&mut host, &mut greedy[3]), "established ones count, too");
    let mut other = Peer::new(80, 4000);
    other.there.set_ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 77)));
    assert!(knock(&mut host, &mut other), "others are not concerned");
    let id = host.accept(listener).unwrap();
    host.tcp.abort(id);
    host.output();
    assert!(knock(&mut host, &mut greedy[3]), "one is free again");
    assert!(!knock(&mut host, &mut greedy[4]));
}

#[test]
fn handshakes_that_come_to_nothing_count_no_longer() {
    let mut host = Host::new(Config { per_peer: 2, ..Config::default() }, Sizes::default());
    host.listen(80);
    let mut peers: Vec<Peer> = (0..3).map(|port| Peer::new(80, 4000 + port)).collect();
    assert!(knock(&mut host, &mut peers[0]) && knock(&mut host, &mut peers[1]) && !knock(&mut host, &mut peers[2]));
    host.pass(s(200));
    assert!(knock(&mut host, &mut peers[2]));
}

#[test]
fn a_cookie_does_not_help_who_holds_too_many() {
    let mut host = Host::new(Config { per_peer: 1, ..Config::default() }, Sizes { half_open: 1, ..Sizes::default() });
    let listener = host.listen(80);
    let mut stranger = Peer::new(80, 4000);
    stranger.there.set_ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 77)));
    assert!(knock(&mut host, &mut stranger), "fills the table");
    let mut peers: Vec<Peer> = (0..2).map(|port| Peer::new(80, 5000 + port)).collect();
    assert!(knock(&mut host, &mut peers[0]) && knock(&mut host, &mut peers[1]), "cookies");
    host.answer(&peers[0].segment(ACK, 1, 1));
    host.answer(&peers[1].segment(ACK, 1, 1));
    assert!(host.accept(listener).is_some() && host.accept(listener).is_none());
}

#[test]
fn a_flooded_listener_leaves_room_for_others() {
    let mut host = Host::new(Config::default(), Sizes { half_open: 24, ..Sizes::default() });
    let options = ListenOptions { backlog: 4, ..ListenOptions::default() };
    host.listen_with(None, Some(80), options).unwrap();
    host.listen(81);
    for port in 0..100 {
        knock(&mut host, &mut Peer::new(80, 4000 + port));
    }
    assert_eq!(host.tcp.stats().half_open, 16);
    knock(&mut host, &mut Peer::new(81, 9000));
    assert_eq!(host.tcp.stats().half_open, 17);
}
