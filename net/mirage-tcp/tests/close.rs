//! The ends of connections: half closed, lost, crossed, forgotten.

extern crate alloc;

mod support;

use core::net::SocketAddr;
use core::task::Poll;

use support::*;

#[test]
fn a_half_closed_connection_still_receives() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.shutdown(id, Direction::Write).unwrap();
    host.output();
    assert_eq!(host.try_write(id, b"x"), Poll::Ready(Err(Error::Closed)));
    host.answer(&peer.segment(ACK, 1, 2));
    for place in 0..10 {
        host.answer(&peer.data(1 + place * 100, 2, &pattern(100)));
    }
    assert_eq!(host.read(id).len(), 1000);
    host.pass(s(500));
    host.answer(&peer.data(1001, 2, b"much later"));
    assert_eq!(host.read(id), b"much later", "an application that holds it may wait as long as it likes");
}

#[test]
fn everything_written_is_sent_before_the_end() {
    let mut host = Host::default();
    let (mut peer, id) = accepted(&mut host, Handshake { window: 1000, ..Handshake::default() });
    let data = pattern(20_000);
    host.write(id, &data);
    host.tcp.close(id);
    let (mut received, mut ended) = (Vec::<u8>::new(), false);
    peer.window = 5000;
    for _ in 0..100 {
        for segment in host.sent_within(ms(50)) {
            if peer.seq(&segment) as usize == 1 + received.len() {
                received.extend(&segment.payload);
                ended |= segment.has(FIN);
            }
        }
        host.answer(&peer.segment(ACK, 1, 1 + received.len() as u32 + u32::from(ended)));
    }
    assert_eq!(received, data);
    assert!(ended);
}

#[test]
fn a_lost_end_is_sent_again() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.shutdown(id, Direction::Write).unwrap();
    assert!(host.output()[0].has(FIN));
    let again = host.sent_within(s(2));
    assert!(!again.is_empty() && again[0].has(FIN) && peer.seq(&again[0]) == 1, "{again:?}");
    host.answer(&peer.segment(ACK, 1, 2));
    assert_eq!(host.sent_within(s(50)), []);
}

#[test]
fn a_lost_end_with_data_is_sent_again_with_it() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.write(id, b"last words");
    host.tcp.shutdown(id, Direction::Write).unwrap();
    let first = host.output();
    assert!(first.last().unwrap().has(FIN));
    let again = host.sent_within(s(2));
    assert_eq!(again[0].payload, b"last words");
    assert!(again[0].has(FIN));
}

#[test]
fn the_peers_end_before_its_data_waits_for_it() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.segment(FIN | ACK, 11, 1).data(b" world"));
    assert_eq!(host.tcp.state(id), Some(State::Established));
    assert!(!host.at_end(id));
    let sent = host.answer(&peer.data(1, 1, b"hello, you"));
    assert!(sent.iter().any(|segment| peer.ack(segment) == 18), "{sent:?}");
    assert_eq!(host.tcp.state(id), Some(State::CloseWait));
    assert_eq!(host.read(id), b"hello, you world");
    assert!(host.at_end(id));
}

#[test]
fn a_bare_end_before_its_data_waits_for_it() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.segment(FIN | ACK, 6, 1));
    host.answer(&peer.data(1, 1, b"hello"));
    assert_eq!(host.read(id), b"hello");
    assert!(host.at_end(id));
}

#[test]
fn an_end_that_comes_again_is_acknowledged_again_in_every_state() {
    type Prepare = fn(&mut Host, &Peer, ConnectionId);
    let cases: [(State, Prepare); 4] = [
        (State::CloseWait, |_, _, _| {}),
        (State::LastAck, |host, _, id| {
            host.tcp.shutdown(id, Direction::Write).unwrap();
            host.output();
        }),
        (State::Closing, |_, _, _| {}),
        (State::TimeWait, |host, peer, _| {
            host.answer(&peer.segment(ACK, 2, 2));
        }),
    ];
    for (state, prepare) in cases {
        let mut host = Host::default();
        let (peer, id) = accepted(&mut host, Handshake::default());
        if matches!(state, State::Closing | State::TimeWait) {
            host.tcp.shutdown(id, Direction::Write).unwrap();
            host.output();
        }
        host.answer(&peer.segment(FIN | ACK, 1, 1));
        prepare(&mut host, &peer, id);
        assert_eq!(host.tcp.state(id), Some(state));
        host.pass(ms(600));
        let sent = host.answer(&peer.segment(FIN | ACK, 1, 1));
        assert!(sent.iter().any(|segment| peer.ack(segment) == 2), "{state:?}: {sent:?}");
        assert_eq!(host.tcp.state(id), Some(state));
    }
}

#[test]
fn fin_wait_2_without_application_ends_after_its_time() {
    let config = Config { fin_wait_2: s(10), ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(ACK, 1, 2));
    assert_eq!(host.tcp.stats().connections, 1);
    host.pass(s(9));
    assert_eq!(host.tcp.stats().connections, 1);
    host.pass(s(2));
    assert_eq!(host.tcp.stats().connections, 0);
    // The peer's end still finds an answer.
    let sent = host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[test]
fn unread_data_at_the_close_resets() {
    // RFC 1122 §4.2.2.13, RFC 2525 §2.17: the peer must learn that its data was not read.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"never read"));
    host.tcp.close(id);
    let sent = host.output();
    assert!(sent.len() == 1 && sent[0].has(RST), "{sent:?}");
    assert_eq!(peer.seq(&sent[0]), 1);
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.time_wait, stats.blocks_in_use), (0, 0, 0));
}

#[test]
fn data_after_the_close_resets() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    let sent = host.answer(&peer.data(1, 2, b"nobody reads this"));
    assert!(sent.iter().any(|segment| segment.has(RST)), "{sent:?}");
    assert_eq!(host.tcp.stats().connections, 0);
}

#[test]
fn an_abort_tells_the_peer_at_once() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(5000));
    host.tcp.abort(id);
    let sent = host.output();
    assert!(sent.len() == 1 && sent[0].has(RST), "{sent:?}");
    assert_eq!(peer.seq(&sent[0]), 1, "nothing was sent yet: the exact number");
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.blocks_in_use), (0, 0));
}

#[test]
fn a_reset_after_data_in_flight_carries_a_number_the_peer_believes() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(1000));
    host.output();
    host.answer(&peer.segment(ACK, 1, 1001));
    host.tcp.abort(id);
    assert_eq!(peer.seq(&host.output()[0]), 1001);
}

#[test]
fn a_reader_that_shuts_down_throws_away_what_comes() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"unread"));
    host.tcp.shutdown(id, Direction::Read).unwrap();
    assert!(host.at_end(id));
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
    for place in 0..1000 {
        host.answer(&peer.data(7 + place * 1000, 1, &pattern(1000)));
    }
    assert_eq!(host.tcp.stats().blocks_in_use, 0);
    assert_eq!(host.write(id, b"still writes"), 12);
}

#[test]
fn time_wait_answers_old_segments_and_starts_again() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(FIN | ACK, 1, 2));
    host.pass(s(30));
    let sent = host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert!(sent.len() == 1 && sent[0].is(ACK) && peer.ack(&sent[0]) == 2, "{sent:?}");
}

#[test]
fn a_new_connection_may_take_the_place_of_one_in_time_wait() {
    // RFC 1122 §4.2.2.13, RFC 6191.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert_eq!(host.tcp.stats().time_wait, 1);
    // A number of the past is an old duplicate.
    let sent = host.answer(&peer.segment(SYN, 0, 0));
    assert!(sent.iter().all(|segment| !segment.has(SYN)), "{sent:?}");
    // One of the future is a new connection, and ours begins behind the old one.
    let sent = host.answer(&peer.segment(SYN, 1000, 0));
    assert!(sent.len() == 1 && sent[0].is(SYN | ACK), "{sent:?}");
    assert!((peer.seq(&sent[0]) as i32) > 2, "{}", peer.seq(&sent[0]) as i32);
}

#[test]
fn a_port_in_time_wait_is_not_chosen_again_towards_the_same_peer() {
    let mut host = Host::new(Config::default(), Sizes { connections: 4, ..Sizes::default() });
    let mut ports = alloc::collections::BTreeSet::new();
    for _ in 0..10 {
        let (peer, id) = connected(&mut host, Handshake::default());
        assert!(ports.insert(peer.here.port()));
        host.tcp.close(id);
        host.output();
        host.answer(&peer.segment(FIN | ACK, 1, 2));
    }
    assert_eq!(host.tcp.stats().time_wait, 10);
}

#[test]
fn a_connection_is_closed_once_both_close_and_every_identifier_is_stale() {
    let (mut a, mut b) = (Host::default(), Host::at([10, 0, 0, 2], Config::default(), Sizes::default()));
    let listener = b.listen(80);
    for _ in 0..100 {
        let to_b = a.connect(SocketAddr::new(THERE, 80)).unwrap();
        exchange(&mut a, &mut b);
        let to_a = b.accept(listener).unwrap();
        a.write(to_b, b"question");
        exchange(&mut a, &mut b);
        assert_eq!(b.read(to_a), b"question");
        b.write(to_a, b"answer");
        b.tcp.close(to_a);
        exchange(&mut a, &mut b);
        assert_eq!(a.read(to_b), b"answer");
        assert!(a.at_end(to_b));
        a.tcp.close(to_b);
        exchange(&mut a, &mut b);
        assert_eq!((a.tcp.state(to_b), b.tcp.state(to_a)), (None, None));
    }
    assert_eq!((a.tcp.stats().connections, b.tcp.stats().connections), (0, 0));
}

#[test]
fn crossing_ends_and_a_lost_acknowledgement_leave_nothing_within_minutes() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    host.output();
    host.answer(&peer.segment(FIN | ACK, 1, 1));
    // The acknowledgement of our end never comes.
    host.pass(s(700));
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.time_wait), (0, 0));
}

#[test]
fn a_flush_waits_until_all_was_sent() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake { window: 1000, ..Handshake::default() });
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    assert_eq!(host.tcp.poll_flush(id, &mut cx), Poll::Ready(Ok(())));
    host.write(id, &pattern(2000));
    host.output();
    assert_eq!(host.tcp.poll_flush(id, &mut cx), Poll::Pending);
    host.answer(&peer.segment(ACK, 1, 1001));
    host.pass(s(1));
    assert_eq!(host.tcp.poll_flush(id, &mut cx), Poll::Ready(Ok(())));
}
