//! Every state of RFC 9293 §3.3.2 and what it does with every kind of segment (§3.10.7).

mod support;

use core::net::SocketAddr;
use core::task::Poll;

use support::*;

fn state(host: &Host, id: ConnectionId) -> Option<State> {
    host.tcp.state(id)
}

/// Whether nothing is left of a connection: `state` says closed or does not know it any more.
fn is_gone(host: &Host, id: ConnectionId) -> bool {
    matches!(state(host, id), None | Some(State::Closed))
}

// --- how connections come up -------------------------------------------------------------------------------------

#[test]
fn an_active_open_goes_through_syn_sent() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    assert_eq!(state(&host, id), Some(State::SynSent));
    assert_eq!(host.connected(id), Poll::Pending);
    let sent = host.output();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].is(SYN));
    assert_eq!(sent[0].option(2), Some(&[0x05, 0xb4][..]), "MSS 1460 on a path of 1480");
    assert!(sent[0].from.port() >= 49_152);
    let mut peer = Peer::new(sent[0].from.port(), 80);
    peer.irs = sent[0].seq;
    let answer = host.answer(&peer.segment(SYN | ACK, 0, 1));
    assert!(answer.len() == 1 && answer[0].is(ACK));
    assert_eq!((peer.seq(&answer[0]), peer.ack(&answer[0])), (1, 1));
    assert_eq!(state(&host, id), Some(State::Established));
    assert_eq!(host.connected(id), Poll::Ready(Ok(())));
    assert_eq!(host.tcp.remote(id), Some(SocketAddr::new(THERE, 80)));
    assert_eq!(host.tcp.local(id).map(|local| local.ip()), Some(HERE));
}

#[test]
fn a_passive_open_needs_all_three_steps() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let sent = host.answer(&peer.segment(SYN, 0, 0));
    assert!(sent.len() == 1 && sent[0].is(SYN | ACK));
    assert_eq!(peer.ack(&sent[0]), 1);
    peer.irs = sent[0].seq;
    assert_eq!(host.accept(listener), None, "not before the handshake is complete");
    assert_eq!(host.tcp.stats().half_open, 1);
    assert_eq!(host.answer(&peer.segment(ACK, 1, 1)), []);
    let id = host.accept(listener).unwrap();
    assert_eq!(state(&host, id), Some(State::Established));
    assert_eq!(host.tcp.stats().half_open, 0);
}

#[test]
fn data_with_the_last_step_of_a_handshake_is_kept() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.answer(&peer.data(1, 1, b"hello"));
    let id = host.accept(listener).unwrap();
    assert_eq!(host.read(id), b"hello");
}

#[test]
fn the_end_with_the_last_step_of_a_handshake_is_kept() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.answer(&peer.segment(FIN | ACK, 1, 1).data(b"bye"));
    let id = host.accept(listener).unwrap();
    assert_eq!(state(&host, id), Some(State::CloseWait));
    assert_eq!(host.read(id), b"bye");
    assert!(host.at_end(id));
}

#[test]
fn two_who_open_at_the_same_time_are_connected_once() {
    // RFC 9293 figure 8.
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN, 0, 0));
    assert_eq!(state(&host, id), Some(State::SynReceived));
    assert!(sent.len() == 1 && sent[0].is(SYN | ACK), "{sent:?}");
    assert_eq!((peer.seq(&sent[0]), peer.ack(&sent[0])), (0, 1));
    assert_eq!(host.connected(id), Poll::Pending);
    host.answer(&peer.segment(SYN | ACK, 0, 1));
    assert_eq!(state(&host, id), Some(State::Established));
    assert_eq!(host.connected(id), Poll::Ready(Ok(())));
    host.answer(&peer.data(1, 1, b"both"));
    assert_eq!(host.read(id), b"both");
}

#[test]
fn two_machines_that_open_at_the_same_time_talk() {
    let (mut a, mut b) = (Host::default(), Host::at([10, 0, 0, 2], Config::default(), Sizes::default()));
    let port = |port| core::num::NonZeroU16::new(port);
    let to_b = a.tcp.connect(a.now, HERE, port(5000), SocketAddr::new(THERE, 6000), TcpOptions::default()).unwrap();
    let to_a = b.tcp.connect(b.now, THERE, port(6000), SocketAddr::new(HERE, 5000), TcpOptions::default()).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(state(&a, to_b), Some(State::Established));
    assert_eq!(state(&b, to_a), Some(State::Established));
    a.write(to_b, b"from a");
    b.write(to_a, b"from b");
    exchange(&mut a, &mut b);
    assert_eq!((a.read(to_b), b.read(to_a)), (b"from b".to_vec(), b"from a".to_vec()));
}

// --- how connections go down -------------------------------------------------------------------------------------

#[test]
fn an_active_close_goes_through_both_fin_waits_and_time_wait() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.shutdown(id, Direction::Write).unwrap();
    let sent = host.output();
    assert!(sent.len() == 1 && sent[0].is(FIN | ACK), "{sent:?}");
    assert_eq!(state(&host, id), Some(State::FinWait1));
    host.answer(&peer.segment(ACK, 1, 2));
    assert_eq!(state(&host, id), Some(State::FinWait2));
    let sent = host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert_eq!(state(&host, id), Some(State::TimeWait));
    assert!(sent.len() == 1 && sent[0].is(ACK) && peer.ack(&sent[0]) == 2);
    assert!(host.at_end(id));
    host.tcp.close(id);
    host.pass(s(59));
    assert_eq!(host.tcp.stats().time_wait, 1);
    host.pass(s(2));
    let stats = host.tcp.stats();
    assert_eq!((stats.time_wait, stats.connections), (0, 0));
}

#[test]
fn a_passive_close_goes_through_close_wait_and_last_ack() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    let sent = host.answer(&peer.segment(FIN | ACK, 1, 1));
    assert!(sent.len() == 1 && sent[0].is(ACK) && peer.ack(&sent[0]) == 2, "{sent:?}");
    assert_eq!(state(&host, id), Some(State::CloseWait));
    assert!(host.at_end(id));
    assert_eq!(host.write(id, b"still here"), 10);
    assert_eq!(host.output()[0].payload, b"still here");
    host.tcp.shutdown(id, Direction::Write).unwrap();
    assert!(host.output()[0].is(FIN | ACK));
    assert_eq!(state(&host, id), Some(State::LastAck));
    host.answer(&peer.segment(ACK, 2, 12));
    assert!(is_gone(&host, id));
    host.tcp.close(id);
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.time_wait), (0, 0), "who closes last keeps no memory");
}

#[test]
fn two_who_close_at_the_same_time_go_through_closing() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.shutdown(id, Direction::Write).unwrap();
    host.output();
    let sent = host.answer(&peer.segment(FIN | ACK, 1, 1));
    assert_eq!(state(&host, id), Some(State::Closing));
    assert!(sent.iter().any(|segment| peer.ack(segment) == 2), "{sent:?}");
    host.answer(&peer.segment(ACK, 2, 2));
    assert_eq!(state(&host, id), Some(State::TimeWait));
    host.tcp.close(id);
    host.pass(s(61));
    assert_eq!(host.tcp.stats().connections + host.tcp.stats().time_wait, 0);
}

#[test]
fn an_end_that_was_not_sent_when_theirs_came_is_the_last() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.shutdown(id, Direction::Write).unwrap();
    assert_eq!(state(&host, id), Some(State::FinWait1));
    // Before there was a chance to send ours.
    let _counted = host.input(&peer.segment(FIN | ACK, 1, 1));
    assert_eq!(state(&host, id), Some(State::LastAck));
    let sent = host.output();
    assert!(sent.len() == 1 && sent[0].is(FIN | ACK) && peer.ack(&sent[0]) == 2, "{sent:?}");
    host.answer(&peer.segment(ACK, 2, 2));
    assert!(is_gone(&host, id));
    host.tcp.close(id);
    let stats = host.tcp.stats();
    assert_eq!((stats.connections, stats.time_wait), (0, 0), "who closes last keeps no memory");
}

#[test]
fn an_end_that_acknowledges_ours_leads_to_time_wait_at_once() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.tcp.shutdown(id, Direction::Write).unwrap();
    host.output();
    host.answer(&peer.segment(FIN | ACK, 1, 2));
    assert_eq!(state(&host, id), Some(State::TimeWait));
}

#[test]
fn two_machines_that_close_at_the_same_time_leave_nothing() {
    let (mut a, mut b) = (Host::default(), Host::at([10, 0, 0, 2], Config::default(), Sizes::default()));
    let listener = b.listen(80);
    let to_b = a.connect(SocketAddr::new(THERE, 80)).unwrap();
    exchange(&mut a, &mut b);
    let to_a = b.accept(listener).unwrap();
    a.tcp.close(to_b);
    b.tcp.close(to_a);
    run(&mut a, &mut b, s(61));
    for host in [&a, &b] {
        let stats = host.tcp.stats();
        assert_eq!((stats.connections, stats.time_wait, stats.blocks_in_use), (0, 0, 0));
    }
}

#[test]
fn a_syn_received_that_is_closed_sends_its_end() {
    // Simultaneous open, closed before the handshake is complete (RFC 9293 §3.10.4, SYN-RECEIVED).
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    host.answer(&peer.segment(SYN, 0, 0));
    host.tcp.close(id);
    host.output();
    let sent = host.answer(&peer.segment(ACK, 1, 1));
    assert!(sent.iter().any(|segment| segment.has(FIN) || segment.has(RST)), "{sent:?}");
}

#[test]
fn a_syn_sent_that_is_closed_is_forgotten() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    host.output();
    host.tcp.close(id);
    host.pass(s(1));
    assert_eq!(host.tcp.stats().connections, 0);
    assert_eq!(state(&host, id), None);
}

// --- CLOSED: no listener (§3.10.7.1) -----------------------------------------------------------------------------

#[test]
fn closed_answers_everything_but_resets_with_a_reset() {
    let peer = Peer::new(81, 4000);
    for (flags, payload, expected_seq, expected_ack) in [
        (SYN, 0, 0, Some(1)),
        (0, 5, 0, Some(5)),
        (FIN, 0, 0, Some(1)),
        (SYN | FIN, 3, 0, Some(5)),
        (ACK, 0, 777, None),
        (SYN | ACK, 0, 777, None),
        (FIN | ACK, 10, 777, None),
    ] {
        let mut host = Host::default();
        let sent = host.answer(&peer.segment(flags, 0, 777).data(&pattern(payload)));
        let [reset] = &sent[..] else { panic!("flags {flags}: one reset, not {sent:?}") };
        match expected_ack {
            Some(ack) => {
                assert!(reset.is(RST | ACK), "flags {flags}: {reset:?}");
                assert_eq!((reset.seq, peer.ack(reset)), (expected_seq, ack), "flags {flags}");
            }
            None => {
                assert!(reset.is(RST), "flags {flags}: {reset:?}");
                assert_eq!(reset.seq, expected_seq, "flags {flags}");
            }
        }
        assert_eq!(host.tcp.stats().connections + host.tcp.stats().half_open, 0);
    }
}

#[test]
fn closed_does_not_answer_resets() {
    let mut host = Host::default();
    let peer = Peer::new(81, 4000);
    for flags in [RST, RST | ACK, RST | SYN, RST | FIN | ACK] {
        assert_eq!(host.answer(&peer.segment(flags, 0, 5)), [], "flags {flags}");
    }
}

// --- LISTEN (§3.10.7.2) ------------------------------------------------------------------------------------------

#[test]
fn listen_ignores_resets() {
    let mut host = Host::default();
    host.listen(80);
    let peer = Peer::new(80, 4000);
    for flags in [RST, RST | ACK, RST | SYN] {
        assert_eq!(host.answer(&peer.segment(flags, 0, 0)), [], "flags {flags}");
    }
    assert_eq!(host.tcp.stats().half_open, 0);
}

#[test]
fn listen_resets_acknowledgements_of_nothing() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let peer = Peer::new(80, 4000);
    for flags in [ACK, SYN | ACK, FIN | ACK] {
        let sent = host.answer(&peer.segment(flags, 0, 4711));
        assert!(sent.len() == 1 && sent[0].is(RST), "flags {flags}: {sent:?}");
        assert_eq!(sent[0].seq, 4711);
    }
    assert_eq!(host.accept(listener), None);
}

#[test]
fn listen_ignores_segments_without_syn_and_ack() {
    let mut host = Host::default();
    host.listen(80);
    let peer = Peer::new(80, 4000);
    for flags in [0, FIN, PSH, URG] {
        assert_eq!(host.answer(&peer.segment(flags, 0, 0)), [], "flags {flags}");
    }
}

#[test]
fn a_syn_again_is_answered_again_and_counts_once() {
    let mut host = Host::default();
    host.listen(80);
    let peer = Peer::new(80, 4000);
    let first = host.answer(&peer.segment(SYN, 0, 0));
    let second = host.answer(&peer.segment(SYN, 0, 0));
    assert_eq!(first, second);
    assert_eq!(host.tcp.stats().half_open, 1);
}

// --- SYN-RECEIVED through a listener ------------------------------------------------------------------------------

#[test]
fn a_reset_ends_a_handshake() {
    let mut host = Host::default();
    host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    assert_eq!(host.answer(&peer.segment(RST, 1, 0)), []);
    assert_eq!(host.tcp.stats().half_open, 0);
}

#[test]
fn a_reset_with_another_number_does_not_end_a_handshake() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    for seq in [0, 2, 1_000_000] {
        host.answer(&peer.segment(RST, seq, 0));
    }
    host.answer(&peer.segment(ACK, 1, 1));
    assert!(host.accept(listener).is_some());
}

#[test]
fn a_handshake_is_not_completed_by_a_wrong_acknowledgement() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    for ack in [0, 2, 1_000_000, 0x8000_0000] {
        let sent = host.answer(&peer.segment(ACK, 1, ack));
        // RFC 9293 §3.10.7.4: "form a reset segment <SEQ=SEG.ACK><CTL=RST>".
        assert!(sent.iter().all(|segment| segment.is(RST) && peer.seq(segment) == ack), "{sent:?}");
        assert_eq!(host.accept(listener), None);
    }
    host.answer(&peer.segment(ACK, 1, 1));
    assert!(host.accept(listener).is_some());
}

#[test]
fn a_lost_syn_ack_is_sent_again_and_given_up_at_last() {
    let config = Config { syn_ack_retries: 2, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    host.listen(80);
    host.answer(&Peer::new(80, 4000).segment(SYN, 0, 0));
    let sent = host.pass(s(30));
    assert_eq!(sent.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [1, 3]);
    assert!(sent.iter().all(|(_, segment)| segment.is(SYN | ACK)));
    assert_eq!(host.tcp.stats().half_open, 0);
}

// --- SYN-SENT (§3.10.7.3) ------------------------------------------------------------------------------------------

fn asking() -> (Host, Peer, ConnectionId) {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let syn = host.output().remove(0);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    (host, peer, id)
}

#[test]
fn syn_sent_resets_acknowledgements_of_what_was_not_sent() {
    for ack in [0, 2, 100_000] {
        let (mut host, peer, id) = asking();
        for flags in [ACK, SYN | ACK] {
            let sent = host.answer(&peer.segment(flags, 0, ack));
            assert!(sent.len() == 1 && sent[0].is(RST), "{sent:?}");
            assert_eq!(peer.seq(&sent[0]), ack);
        }
        assert_eq!(state(&host, id), Some(State::SynSent));
    }
}

#[test]
fn syn_sent_is_refused_by_a_reset_that_acknowledges_it() {
    let (mut host, peer, id) = asking();
    assert_eq!(host.answer(&peer.segment(RST | ACK, 0, 1)), []);
    assert_eq!(host.connected(id), Poll::Ready(Err(Error::ConnectionRefused)));
    host.tcp.close(id);
    assert_eq!(host.tcp.stats().connections, 0);
}

#[test]
fn syn_sent_ignores_all_else() {
    let (mut host, peer, id) = asking();
    for segment in [
        peer.segment(RST, 0, 0),
        peer.segment(RST | ACK, 0, 5),
        peer.segment(ACK, 0, 1),
        peer.segment(FIN, 0, 0),
        peer.segment(0, 0, 0).data(b"data"),
    ] {
        let sent = host.answer(&segment);
        assert!(sent.iter().all(|answer| answer.is(RST)), "{segment:?}: {sent:?}");
        assert_eq!(state(&host, id), Some(State::SynSent), "{segment:?}");
    }
    host.answer(&peer.segment(SYN | ACK, 0, 1));
    assert_eq!(state(&host, id), Some(State::Established));
}

#[test]
fn a_syn_without_answer_is_sent_again_and_given_up_at_last() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let sent = host.pass(s(200));
    assert_eq!(sent.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [0, 1, 3, 7, 15, 31, 63]);
    assert!(sent.iter().all(|(_, segment)| segment.is(SYN) && segment.seq == sent[0].1.seq));
    assert_eq!(host.connected(id), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn what_is_written_before_the_handshake_is_complete_waits_or_is_sent_after_it() {
    let (mut host, peer, id) = asking();
    let written = host.write(id, b"early");
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1));
    let payload: usize = sent.iter().map(|segment| segment.payload.len()).sum();
    assert_eq!(payload, written);
}

// --- synchronized states (§3.10.7.4) -------------------------------------------------------------------------------

#[test]
fn a_segment_outside_the_window_is_answered_with_what_is_expected() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    for seq in [1_u32.wrapping_sub(100), 1 + 300_000, 0x8000_0000] {
        let sent = host.answer(&peer.data(seq, 1, b"stray"));
        assert!(sent.len() == 1 && sent[0].is(ACK), "{sent:?}");
        assert_eq!((peer.seq(&sent[0]), peer.ack(&sent[0])), (1, 1));
        host.pass(s(1));
    }
    assert_eq!(host.read(id), b"");
    assert_eq!(state(&host, id), Some(State::Established));
}

#[test]
fn a_segment_without_ack_is_dropped() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.segment(0, 1, 0).data(b"no ack"));
    assert_eq!(host.read(id), b"");
    host.answer(&peer.segment(FIN, 1, 0));
    assert_eq!(state(&host, id), Some(State::Established));
}

#[test]
fn what_sticks_out_of_the_window_is_cut_off() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"hello "));
    host.answer(&peer.data(4, 1, b"lo world"));
    assert_eq!(host.read(id), b"hello world");
}

#[test]
fn urgent_data_is_read_in_line() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"urgent").urgent(3));
    host.answer(&peer.data(7, 1, b" and not").urgent(60_000));
    assert_eq!(host.read(id), b"urgent and not");
}

#[test]
fn an_exact_reset_ends_every_state() {
    for target in
        [State::Established, State::FinWait1, State::FinWait2, State::CloseWait, State::LastAck, State::Closing]
    {
        let mut host = Host::default();
        let (peer, id) = accepted(&mut host, Handshake::default());
        let mut seq = 1;
        if matches!(target, State::CloseWait | State::LastAck) {
            host.answer(&peer.segment(FIN | ACK, 1, 1));
            seq = 2;
        }
        if !matches!(target, State::Established | State::CloseWait) {
            host.tcp.shutdown(id, Direction::Write).unwrap();
            host.output();
        }
        if target == State::FinWait2 {
            host.answer(&peer.segment(ACK, 1, 2));
        }
        if target == State::Closing {
            host.answer(&peer.segment(FIN | ACK, 1, 1));
            seq = 2;
        }
        assert_eq!(state(&host, id), Some(target));
        assert_eq!(host.answer(&peer.segment(RST, seq, 0)), [], "{target:?}");
        assert!(is_gone(&host, id), "{target:?}");
        host.tcp.close(id);
        let stats = host.tcp.stats();
        assert_eq!((stats.connections, stats.time_wait, stats.blocks_in_use), (0, 0, 0), "{target:?}");
    }
}

#[test]
fn a_reset_peer_is_told_to_the_reader_after_what_came_before() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"last words"));
    host.answer(&peer.segment(RST, 11, 0));
    let mut told = Vec::new();
    let error = loop {
        match host.read_some(id, 100) {
            Poll::Ready(Ok(bytes)) if !bytes.is_empty() => told.extend(bytes),
            other => break other,
        }
    };
    assert_eq!(error, Poll::Ready(Err(Error::ConnectionReset)));
    assert!(told.is_empty() || told == b"last words");
    assert_eq!(host.try_write(id, b"x"), Poll::Ready(Err(Error::ConnectionReset)));
}

#[test]
fn a_stale_identifier_names_nobody() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.abort(id);
    host.output();
    assert_eq!(state(&host, id), None);
    assert_eq!(host.try_write(id, b"x"), Poll::Ready(Err(Error::Closed)));
    let listener = host.listen(81);
    let mut peer = Peer::new(81, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.answer(&peer.segment(ACK, 1, 1));
    let other = host.accept(listener).unwrap();
    assert_ne!(other, id);
    assert_eq!(host.try_write(id, b"x"), Poll::Ready(Err(Error::Closed)));
    assert_eq!(host.write(other, b"x"), 1);
}
