//! Small writes that wait for more, acknowledgements that do not wait, and the bit that says "hand it up".

mod support;

use core::task::{Context, Poll, Waker};

use mirage_clock::Duration;
use mirage_tcp::{Config, ConnectionId, Recovering};
use support::*;

fn write_more(host: &mut Host, id: ConnectionId, len: usize) {
    let written = host.tcp.poll_write_more(id, &mut Context::from_waker(Waker::noop()), &pattern(len));
    assert_eq!(written, Poll::Ready(Ok(len)));
}

#[test]
fn a_corked_connection_sends_full_segments_alone() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_cork(id, true);
    host.write(id, &pattern(1460 + 40));
    let sent = host.output();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].payload.len(), sent[0].flags & PSH), (1460, 0));
    host.tcp.set_cork(id, false);
    let sent = host.output();
    assert_eq!((sent[0].payload.len(), sent[0].flags & PSH), (40, PSH));
}

#[test]
fn what_waits_for_more_goes_with_it() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.set_nodelay(id, true);
    write_more(&mut host, id, 40);
    assert!(host.output().is_empty(), "even without Nagle's algorithm");
    host.write(id, &pattern(2));
    let sent = host.output();
    assert_eq!((sent.len(), sent[0].payload.len(), sent[0].flags & PSH), (1, 42, PSH));
}

#[test]
fn what_waits_for_more_in_vain_goes_after_a_timeout() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    write_more(&mut host, id, 40);
    let sent = host.pass(Duration::from_millis(500));
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!((195..300).contains(&sent[0].0.as_millis()), "{sent:?}");
    assert_eq!(sent[0].1.payload.len(), 40);
}

#[test]
fn word_from_the_peer_releases_what_waits_for_more() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    write_more(&mut host, id, 1460 + 40);
    assert_eq!(host.output().len(), 1);
    let sent = host.answer(&peer.segment(ACK, 1, 1461));
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].payload.len(), sent[0].flags & PSH), (40, 0), "nobody said that this was all");
}

#[test]
fn an_end_without_data_is_nothing_to_hand_up() {
    let mut host = Host::default();
    let (_, id) = accepted(&mut host, Handshake::default());
    host.tcp.close(id);
    let sent = host.output();
    assert_eq!(sent[0].flags & (FIN | PSH), FIN);
}

#[test]
fn the_first_acknowledgements_wait_for_nothing_until_the_application_answers() {
    let mut host = Host::new(Config { quick_acks: 16, ..Config::default() }, Sizes::default());
    let (peer, id) = accepted(&mut host, Handshake::default());
    assert_eq!(host.answer(&peer.data(1, 1, b"question")).len(), 1, "at once");
    host.read(id);
    host.write(id, b"answer");
    assert_eq!(host.output().len(), 1);
    assert!(host.answer(&peer.data(9, 7, b"another")).is_empty(), "the answer will carry it");
}

#[test]
fn a_connection_tells_what_it_knows() {
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, &pattern(5 * 1460));
    host.output();
    host.now += Duration::from_millis(30);
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.unacked, info.snd_mss, info.ca_state), (5 * 1460, 1460, Recovering::Open));
    assert!(info.last_data_sent.as_millis().abs_diff(30) <= 1, "{:?}", info.last_data_sent);
    host.answer(&peer.segment(ACK, 1, 1461));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.unacked, info.delivered), (4 * 1460, 1460));
    host.tcp.close(id);
    assert_eq!(host.tcp.tcp_info(id, host.now), None);
}
