//! Handshakes and ends in which both say what is usual, with one thing wrong: nothing is believed sooner than elsewhere.

mod support;

use core::net::SocketAddr;
use core::task::Poll;

use mirage_net::ReceivedChecksum;
use mirage_tcp::{Direction, Discard, ListenerId};
use support::*;

/// What nearly every SYN says, in the order of Linux.
fn usual(value: u32, echo: u32) -> Vec<u8> {
    let mut options = vec![2, 4, 5, 180, 4, 2, 8, 10];
    options.extend(value.to_be_bytes());
    options.extend(echo.to_be_bytes());
    options.extend([1, 3, 3, 7]);
    options
}

/// Timestamps alone.
fn stamps(value: u32, echo: u32) -> Vec<u8> {
    let mut options = vec![1, 1, 8, 10];
    options.extend(value.to_be_bytes());
    options.extend(echo.to_be_bytes());
    options
}

/// The clock of whoever sent this.
fn clock(segment: &Segment) -> u32 {
    let option = segment.option(8).expect("it has timestamps");
    u32::from_be_bytes(option[..4].try_into().unwrap())
}

/// A host with a listener, a peer that asked, and the clock in the answer.
fn asked() -> (Host, ListenerId, Peer, u32) {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    let sent = host.answer(&peer.segment(SYN, 0, 0).options(&usual(1000, 0)));
    let [syn_ack] = &sent[..] else { panic!("one SYN-ACK, not {sent:?}") };
    peer.irs = syn_ack.seq;
    (host, listener, peer, clock(syn_ack))
}

/// A connection that was accepted, and what each side says next.
fn open() -> (Host, ConnectionId, Peer, u32) {
    let (mut host, listener, peer, echo) = asked();
    assert_eq!(host.answer(&peer.segment(ACK, 1, 1).options(&stamps(1000, echo))), []);
    let id = host.accept(listener).expect("it is complete");
    (host, id, peer, echo)
}

fn with_a_bit_flipped(host: &mut Host, segment: &Segment) -> Result<(), Discard> {
    let mut bytes = segment.bytes();
    bytes[14] ^= 1;
    host.input_bytes(segment.from.ip(), segment.to.ip(), &bytes, ReceivedChecksum::Unchecked)
}

#[test]
fn a_syn_with_a_wrong_checksum_opens_nothing() {
    let mut host = Host::default();
    host.listen(80);
    let syn = Peer::new(80, 4000).segment(SYN, 0, 0).options(&usual(1000, 0));
    assert_eq!(with_a_bit_flipped(&mut host, &syn), Err(Discard::BadChecksum));
    assert_eq!((host.tcp.stats().half_open, host.output().len()), (0, 0));
    assert_eq!(host.tcp.stats().segments_in, 1);
}

#[test]
fn only_the_exact_acknowledgement_completes_a_handshake() {
    let (mut host, listener, peer, echo) = asked();
    let right = peer.segment(ACK, 1, 1).options(&stamps(1000, echo));
    assert_eq!(with_a_bit_flipped(&mut host, &right), Err(Discard::BadChecksum));
    for ack in [0, 2, 1 << 31] {
        let sent = host.answer(&peer.segment(ACK, 1, ack).options(&stamps(1000, echo)));
        assert!(sent.len() == 1 && sent[0].is(RST), "{sent:?}");
    }
    assert_eq!(host.input(&peer.segment(ACK, 0, 1).options(&stamps(1000, echo))), Err(Discard::OutsideWindow));
    assert_eq!((host.accept(listener), host.tcp.stats().half_open), (None, 1));
    assert_eq!(host.input(&right), Ok(()));
    let id = host.accept(listener).unwrap();
    assert_eq!((host.tcp.state(id), host.tcp.stats().half_open), (Some(State::Established), 0));
    assert_eq!(host.tcp.info(id).unwrap().send_window, 65_535 << 7);
}

#[test]
fn an_acknowledgement_from_long_ago_is_noticed_when_it_completes_a_handshake() {
    let (mut host, listener, peer, echo) = asked();
    assert_eq!(host.input(&peer.segment(ACK, 1, 1).options(&stamps(999, echo))), Err(Discard::OldTimestamp));
    assert!(host.accept(listener).is_some());
    assert_eq!(host.tcp.stats().old_stamps, 1);
}

#[test]
fn only_an_answer_to_our_syn_opens_a_connection() {
    let mut host = Host::default();
    host.now += s(100);
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    let sent = host.output();
    let mut peer = Peer::new(sent[0].from.port(), 80);
    peer.irs = sent[0].seq;
    let right = peer.segment(SYN | ACK, 0, 1).options(&usual(7, clock(&sent[0])));
    assert_eq!(with_a_bit_flipped(&mut host, &right), Err(Discard::BadChecksum));
    for wrong in [
        peer.segment(SYN | ACK, 0, 2).options(&usual(7, clock(&sent[0]))),
        peer.segment(SYN | ACK, 0, 0).options(&usual(7, clock(&sent[0]))),
        peer.segment(SYN | ACK, 0, 1).options(&usual(7, clock(&sent[0]).wrapping_sub(1))),
        peer.segment(SYN | ACK, 0, 1).options(&usual(7, clock(&sent[0]).wrapping_add(1))),
    ] {
        let sent = host.answer(&wrong);
        assert!(sent.len() == 1 && sent[0].is(RST), "{wrong:?}: {sent:?}");
        assert_eq!(host.connected(id), Poll::Pending);
    }
    let sent = host.answer(&right);
    assert!(sent.len() == 1 && sent[0].is(ACK), "{sent:?}");
    assert_eq!(host.connected(id), Poll::Ready(Ok(())));
}

#[test]
fn a_fin_that_is_broken_or_old_ends_nothing() {
    let (mut host, id, peer, echo) = open();
    let right = peer.segment(FIN | ACK, 1, 1).options(&stamps(1000, echo));
    assert_eq!(with_a_bit_flipped(&mut host, &right), Err(Discard::BadChecksum));
    assert_eq!(host.input(&peer.segment(FIN | ACK, 1, 1).options(&stamps(999, echo))), Err(Discard::OldTimestamp));
    assert_eq!(host.input(&peer.segment(FIN | ACK, 1, 2).options(&stamps(1000, echo))), Err(Discard::BadAck));
    assert_eq!(host.tcp.state(id), Some(State::Established));
    let sent = host.answer(&right);
    assert!(sent.len() == 1 && sent[0].is(ACK) && peer.ack(&sent[0]) == 2, "{sent:?}");
    assert_eq!(host.tcp.state(id), Some(State::CloseWait));
}

#[test]
fn one_whose_application_still_holds_it_stays_when_both_ends_are_closed() {
    let (mut host, id, peer, echo) = open();
    host.tcp.shutdown(id, Direction::Write).unwrap();
    assert!(host.output()[0].is(FIN | ACK));
    let sent = host.answer(&peer.segment(FIN | ACK, 1, 2).options(&stamps(1000, echo)));
    assert!(sent.len() == 1 && sent[0].is(ACK), "{sent:?}");
    assert_eq!((host.tcp.state(id), host.tcp.stats().time_wait), (Some(State::TimeWait), 1));
    assert!(host.at_end(id));
    host.tcp.close(id);
    assert_eq!(host.tcp.stats().connections, 0);
}

#[test]
fn a_fin_waits_for_a_window_in_every_lane() {
    let (mut host, id, mut peer, echo) = open();
    peer.window = 0;
    host.answer(&peer.segment(ACK, 1, 1).data(b"x").options(&stamps(1000, echo)));
    host.read(id);
    host.output();
    host.tcp.close(id);
    assert!(host.output().iter().all(|segment| !segment.has(FIN)), "there is no room for it");
}
