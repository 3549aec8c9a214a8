//! Asking idle peers (RFC 9293 §3.8.4).

mod support;

use core::task::Poll;

use support::*;

const PATIENT: Keepalive = Keepalive { after: s(7200), interval: s(75), probes: 9 };
const QUICK: Keepalive = Keepalive { after: s(1), interval: s(1), probes: 3 };

#[test]
fn a_silent_peer_is_asked_three_times_and_given_up_after_four_seconds() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(QUICK));
    let sent = host.pass(ms(3999));
    assert_eq!(sent.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [1, 2, 3]);
    for (_, probe) in &sent {
        assert!(probe.is(ACK) && probe.payload.len() <= 1, "{probe:?}");
        assert_eq!(peer.seq(probe), 0, "the byte before the next: a living peer must answer");
    }
    assert_eq!(host.tcp.state(id), Some(State::Established));
    host.pass(ms(2));
    assert_eq!(host.read_some(id, 1), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn with_the_usual_numbers_there_are_nine_probes() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(PATIENT));
    let sent = host.pass(s(7200 + 75 * 9 + 1));
    let probes: Vec<u64> = sent.iter().filter(|(_, segment)| segment.is(ACK)).map(|(at, _)| at.as_secs()).collect();
    assert_eq!(probes, (0..9).map(|probe| 7200 + 75 * probe).collect::<Vec<_>>());
    assert_eq!(host.try_write(id, b"x"), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn a_peer_that_answers_is_kept() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(QUICK));
    for _ in 0..60 {
        for _ in host.sent_within(ms(500)) {
            host.answer(&peer.segment(ACK, 1, 1));
        }
    }
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn a_peer_that_talks_is_not_asked() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(QUICK));
    for second in 0..20 {
        let sent = host.answer(&peer.data(1 + second, 1, b"x"));
        assert_eq!(sent, []);
        let sent = host.sent_within(ms(900));
        assert!(sent.iter().all(|segment| peer.seq(segment) == 1), "only acknowledgements: {sent:?}");
    }
    assert_eq!(host.read(id).len(), 20);
}

#[test]
fn missed_probes_are_not_sent_in_a_burst() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(PATIENT));
    // The machine is not called for a long time.
    host.now += s(7200 + 75 * 3 + 10);
    host.tcp.handle_timeout(host.now);
    assert_eq!(host.output().len(), 1);
}

#[test]
fn after_a_massive_delay_no_probe_is_sent_and_the_connection_ends() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(PATIENT));
    host.now += s(100_000);
    host.tcp.handle_timeout(host.now);
    let sent = host.output();
    assert!(sent.iter().all(|segment| segment.has(RST)), "{sent:?}");
    assert_eq!(host.read_some(id, 1), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn keepalive_can_be_turned_off() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(QUICK));
    host.pass(ms(1500));
    host.tcp.set_keepalive(id, None);
    assert_eq!(host.sent_within(s(100)), []);
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn there_is_none_unless_asked_for() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    assert_eq!(host.sent_within(s(100_000)), []);
    assert_eq!(host.tcp.state(id), Some(State::Established));
}

#[test]
fn a_listener_gives_it_to_its_connections() {
    let mut host = Host::default();
    let options = ListenOptions {
        tcp: TcpOptions { keepalive: Some(QUICK), ..TcpOptions::default() },
        ..ListenOptions::default()
    };
    let listener = host.listen_with(None, Some(81), options).unwrap();
    let mut peer = Peer::new(81, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.answer(&peer.segment(ACK, 1, 1));
    let id = host.accept(listener).unwrap();
    host.pass(s(5));
    assert_eq!(host.read_some(id, 1), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn a_closed_connection_is_not_held_by_its_keepalive() {
    // A timer that outlives its connection is a leak.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_keepalive(id, Some(PATIENT));
    host.answer(&peer.segment(FIN | ACK, 1, 1));
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(ACK, 2, 2));
    host.pass(s(61));
    assert_eq!(host.tcp.stats().connections, 0);
    assert_eq!(host.tcp.poll_timeout(), None, "no timer is left");
}
