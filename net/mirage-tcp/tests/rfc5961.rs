//! Improving robustness to blind attacks (RFC 5961), and who gets challenges.

mod support;

use core::net::SocketAddr;
use core::task::Poll;

use support::*;

fn is_challenge(peer: &Peer, sent: &[Segment], seq: u32, ack: u32) -> bool {
    matches!(sent, [one] if one.is(ACK) && one.payload.is_empty() && peer.seq(one) == seq && peer.ack(one) == ack)
}

#[test]
fn a_blind_reset_in_syn_sent_is_ignored() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    assert_eq!(host.answer(&peer.segment(RST, 0, 0)), []);
    assert_eq!(host.answer(&peer.segment(RST | ACK, 0, 0)), []);
    assert_eq!(host.tcp.state(id), Some(State::SynSent));
}

#[test]
fn a_valid_reset_in_syn_sent_refuses() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    host.answer(&peer.segment(RST | ACK, 0, 1));
    assert_eq!(host.connected(id), Poll::Ready(Err(Error::ConnectionRefused)));
}

#[test]
fn a_reset_inside_the_window_is_challenged() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let sent = host.answer(&peer.segment(RST, 2, 0));
    assert!(is_challenge(&peer, &sent, 1, 1), "{sent:?}");
    assert_eq!(host.tcp.state(id), Some(State::Established));
    host.answer(&peer.data(1, 1, b"alive"));
    assert_eq!(host.read(id), b"alive");
}

#[test]
fn the_exact_reset_that_answers_a_challenge_ends_the_connection() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let challenge = host.answer(&peer.segment(RST, 100, 0)).remove(0);
    host.answer(&peer.segment(RST, peer.ack(&challenge), 0));
    assert_eq!(host.read_some(id, 10), Poll::Ready(Err(Error::ConnectionReset)));
}

#[test]
fn a_reset_outside_the_window_is_dropped_silently() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for seq in [0, 1_u32.wrapping_sub(1000), 1_000_000, 0x8000_0001] {
        assert_eq!(host.answer(&peer.segment(RST, seq, 0)), [], "{seq}");
    }
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn a_syn_in_a_connection_is_challenged_wherever_its_number_lies() {
    for seq in [0, 1, 50, 1_000_000] {
        for flags in [SYN, SYN | ACK] {
            let mut host = Host::default();
            let (peer, id) = accepted(&mut host, Handshake::default());
            let sent = host.answer(&peer.segment(flags, seq, 1));
            assert!(is_challenge(&peer, &sent, 1, 1), "seq {seq}: {sent:?}");
            assert_eq!(host.tcp.state(id), Some(State::Established));
        }
    }
}

#[test]
fn a_peer_that_restarted_gets_its_reset_through() {
    // RFC 5961 §4: the challenge makes a peer that knows nothing of the connection send an exact reset.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let challenge = host.answer(&peer.segment(SYN, 0x1234_5678, 0)).remove(0);
    let reset = Segment::new(peer.there, peer.here, RST).seq(challenge.ack);
    host.answer(&reset);
    assert_eq!(host.read_some(id, 10), Poll::Ready(Err(Error::ConnectionReset)));
}

#[test]
fn data_that_acknowledges_what_was_not_sent_is_challenged() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let sent = host.answer(&peer.data(1, 1000, b"blind"));
    assert!(is_challenge(&peer, &sent, 1, 1), "{sent:?}");
    assert_eq!(host.read(id), b"");
}

#[test]
fn data_that_acknowledges_something_older_than_any_window_is_refused() {
    // §5: "SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT".
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { window: 1000, ..Handshake::default() });
    let sent = host.answer(&peer.data(1, 1_u32.wrapping_sub(1001), b"blind"));
    assert!(is_challenge(&peer, &sent, 1, 1), "{sent:?}");
    assert_eq!(host.read(id), b"");
    host.answer(&peer.data(1, 0x8000_0000, b"blind"));
    assert_eq!(host.read(id), b"");
}

#[test]
fn an_old_but_valid_acknowledgement_delivers_its_data() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(100));
    host.output();
    host.answer(&peer.segment(ACK, 1, 101));
    host.answer(&peer.data(1, 51, b"late but right"));
    assert_eq!(host.read(id), b"late but right");
}

#[test]
fn one_connection_is_challenged_twice_a_second_at_most() {
    let mut host = Host::default();
    let (peer, _) = accepted(&mut host, Handshake::default());
    let mut challenges = 0;
    for _ in 0..100 {
        challenges += host.answer(&peer.segment(RST, 2, 0)).len();
        challenges += host.answer(&peer.segment(SYN, 2, 0)).len();
        host.pass(ms(10));
    }
    assert!((1..=3).contains(&challenges), "{challenges}");
}

#[test]
fn all_connections_together_are_limited_by_a_number_that_varies() {
    let config = Config { challenges_per_second: 10, ..Config::default() };
    let mut host = Host::new(config, Sizes { connections: 64, half_open: 64, ..Sizes::default() });
    host.listen(80);
    let peers: Vec<Peer> = (0..60)
        .map(|port| {
            let mut peer = Peer::new(80, 4000 + port);
            peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
            host.answer(&peer.segment(ACK, 1, 1));
            peer
        })
        .collect();
    let counts: Vec<usize> = (0..8)
        .map(|_| {
            host.pass(s(1));
            peers.iter().map(|peer| host.answer(&peer.segment(RST, 2, 0)).len()).sum()
        })
        .collect();
    assert!(counts.iter().all(|count| (5..=15).contains(count)), "{counts:?}");
    assert!(counts.iter().any(|count| count != &counts[0]), "it varies: {counts:?}");
}
