//! Data in the SYN (RFC 7413).

mod support;

use core::net::SocketAddr;

use mirage_tcp::{Cookie, FastOpen, FirstData, ListenerId};
use support::*;

const KEY: [u8; 16] = [3; 16];

/// A listener that takes data with the SYN, from `pending` unknown peers at once.
fn listen(host: &mut Host, pending: u16) -> ListenerId {
    let listener = host.listen(80);
    host.tcp.set_fast_open(listener, Some(FastOpen { key: KEY, pending, without_cookie: false }));
    listener
}

/// The option with this cookie, padded.
fn option(cookie: &[u8]) -> Vec<u8> {
    let mut options = vec![2, 4, 5, 180, 34, 2 + cookie.len() as u8];
    options.extend(cookie);
    options.resize(options.len().next_multiple_of(4), 1);
    options
}

/// The cookie that the machine gives to the peer.
fn cookie(host: &mut Host) -> Vec<u8> {
    let peer = Peer::new(80, 3999);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&option(&[]))).remove(0);
    host.answer(&peer.segment(RST, 1, 0));
    syn_ack.option(34).unwrap().to_vec()
}

/// The SYN of a machine that opens a connection with `written`, its connection, and how much of it went along.
fn open(host: &mut Host, cookie: Option<Cookie>, written: &[u8]) -> (Segment, ConnectionId, usize) {
    let first = FirstData { cookie, peer_mss: 1460, bytes: written };
    let remote = SocketAddr::new(THERE, 80);
    let (id, went) = host.tcp.connect_with(host.now, HERE, None, remote, TcpOptions::default(), &first).unwrap();
    let sent = host.output();
    assert_eq!(sent.len(), 1, "{sent:?}");
    (sent[0].clone(), id, went)
}

fn known() -> Option<Cookie> {
    Cookie::new(&[7; 8], false)
}

// --- the server ------------------------------------------------------------------------------------------------------

#[test]
fn who_asks_gets_a_cookie_of_eight_bytes_always_the_same() {
    let mut host = Host::default();
    listen(&mut host, 10);
    let first = cookie(&mut host);
    assert_eq!(first.len(), 8);
    assert_eq!(cookie(&mut host), first);
    let mut stranger = Peer::new(80, 4000);
    stranger.there.set_ip([10, 0, 0, 9].into());
    let other = host.answer(&stranger.segment(SYN, 0, 0).options(&option(&[]))).remove(0);
    assert_ne!(other.option(34).unwrap(), first, "another address gets another");
}

#[test]
fn the_experimental_option_is_answered_in_kind() {
    let mut host = Host::default();
    listen(&mut host, 10);
    let syn = Peer::new(80, 4000).segment(SYN, 0, 0).options(&[254, 4, 0xf9, 0x89]);
    let syn_ack = host.answer(&syn).remove(0);
    assert_eq!(syn_ack.option(34), None);
    let answer = syn_ack.option(254).unwrap();
    assert_eq!((answer.len(), &answer[..2]), (10, &[0xf9, 0x89][..]));
}

#[test]
fn data_with_a_cookie_is_read_before_the_handshake_is_complete() {
    let mut host = Host::default();
    let listener = listen(&mut host, 10);
    let cookie = cookie(&mut host);
    let mut peer = Peer::new(80, 4000);
    let syn = peer.segment(SYN, 0, 0).options(&option(&cookie)).data(b"GET /");
    let sent = host.answer(&syn);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].is(SYN | ACK) && peer.ack(&sent[0]) == 6, "the data is acknowledged: {sent:?}");
    assert_eq!(sent[0].option(34), None);
    peer.irs = sent[0].seq;
    let id = host.accept(listener).unwrap();
    assert_eq!(host.read(id), b"GET /");
    // The answer need not wait for the acknowledgement.
    host.write(id, b"200");
    let answer = host.output().remove(0);
    assert_eq!((peer.seq(&answer), &answer.payload[..]), (1, &b"200"[..]));
    host.answer(&peer.segment(ACK, 6, 4));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.state, info.unacked, info.bytes_received), (State::Established, 0, 5));
    host.pass(s(30));
    assert_eq!(host.output(), [], "nothing is sent again");
}

#[test]
fn a_syn_with_data_that_asks_for_marks_is_answered() {
    let mut host = Host::default();
    listen(&mut host, 10);
    let cookie = cookie(&mut host);
    let syn = Peer::new(80, 4000).segment(SYN | ECE | CWR, 0, 0).options(&option(&cookie)).data(b"x");
    for _ in 0..2 {
        assert!(host.answer(&syn)[0].is(SYN | ACK | ECE));
    }
}

#[test]
fn a_wrong_cookie_is_replaced_and_its_data_comes_again() {
    let mut host = Host::default();
    let listener = listen(&mut host, 10);
    let right = cookie(&mut host);
    let peer = Peer::new(80, 4000);
    let syn = peer.segment(SYN, 0, 0).options(&option(&[1; 8])).data(b"GET /");
    let syn_ack = host.answer(&syn).remove(0);
    assert_eq!((peer.ack(&syn_ack), syn_ack.option(34)), (1, Some(&right[..])));
    assert_eq!(host.accept(listener), None);
}

#[test]
fn without_the_setting_the_option_means_nothing() {
    let mut host = Host::default();
    host.listen(80);
    let peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&option(&[])).data(b"x")).remove(0);
    assert_eq!((peer.ack(&syn_ack), syn_ack.option(34)), (1, None));
}

#[test]
fn a_lost_syn_ack_is_sent_again_and_a_silent_peer_given_up() {
    let mut host = Host::default();
    let listener = listen(&mut host, 10);
    let cookie = cookie(&mut host);
    let peer = Peer::new(80, 4000);
    let syn = peer.segment(SYN, 0, 0).options(&option(&cookie)).data(b"x");
    host.answer(&syn);
    let id = host.accept(listener).unwrap();
    let again = host.answer(&syn);
    assert!(again.len() == 1 && again[0].is(SYN | ACK) && peer.ack(&again[0]) == 2, "{again:?}");
    let sent = host.pass(s(200));
    let times: Vec<u64> =
        sent.iter().filter(|(_, segment)| segment.is(SYN | ACK)).map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times[..4], [1, 3, 7, 15]);
    assert_eq!(host.tcp.state(id), Some(State::Closed));
    assert_eq!(host.read_some(id, 1), core::task::Poll::Ready(Ok(b"x".to_vec())), "what came can still be read");
}

#[test]
fn an_answer_that_is_lost_with_the_syn_ack_arrives_after_all() {
    let mut host = Host::default();
    let listener = listen(&mut host, 10);
    let cookie = cookie(&mut host);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0).options(&option(&cookie)).data(b"x")).remove(0).seq;
    let id = host.accept(listener).unwrap();
    host.write(id, b"answer");
    host.output();
    let mut again = host.sent_within(s(2));
    assert!(again.iter().any(|segment| segment.is(SYN | ACK)), "{again:?}");
    again.extend(host.answer(&peer.segment(ACK, 2, 1)));
    again.extend(host.sent_within(s(10)));
    assert!(again.iter().any(|segment| segment.payload == b"answer" && peer.seq(segment) == 1), "{again:?}");
    host.answer(&peer.segment(ACK, 2, 7));
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().bytes_acked, 6);
}

#[test]
fn only_so_many_may_wait_for_their_peers() {
    let mut host = Host::default();
    listen(&mut host, 2);
    let cookie = cookie(&mut host);
    let knock = |host: &mut Host, port| {
        let mut peer = Peer::new(80, port);
        let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&option(&cookie)).data(b"x")).remove(0);
        peer.irs = syn_ack.seq;
        (peer.ack(&syn_ack), peer)
    };
    let (first, peer) = knock(&mut host, 4000);
    assert_eq!((first, knock(&mut host, 4001).0, knock(&mut host, 4002).0), (2, 2, 1));
    host.answer(&peer.segment(ACK, 2, 1));
    assert_eq!(knock(&mut host, 4003).0, 2, "one is no longer waiting");
    host.answer(&Peer { irs: 0, ..Peer::new(80, 4001) }.segment(RST, 2, 0));
    assert_eq!(knock(&mut host, 4004).0, 2, "one is gone");
}

#[test]
fn a_cookie_without_data_opens_early_too() {
    let mut host = Host::default();
    let listener = listen(&mut host, 10);
    let cookie = cookie(&mut host);
    let peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&option(&cookie))).remove(0);
    assert_eq!(peer.ack(&syn_ack), 1);
    assert!(host.accept(listener).is_some());
}

// --- the client ------------------------------------------------------------------------------------------------------

#[test]
fn the_first_syn_asks_for_a_cookie_and_its_data_is_left() {
    let mut host = Host::default();
    let (syn, id, went) = open(&mut host, Some(Cookie::REQUEST), b"GET /");
    assert!(syn.is(SYN) && syn.payload.is_empty() && went == 0, "{syn:?}");
    assert_eq!(syn.option(34), Some(&[][..]));
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    host.answer(&peer.segment(SYN | ACK, 0, 1).options(&option(&[7; 8])));
    assert!(host.connected(id).is_ready());
    assert_eq!(host.tcp.fast_open_cookie(id), known());
}

#[test]
fn the_next_syn_brings_the_cookie_and_the_data() {
    let mut host = Host::default();
    let (syn, id, went) = open(&mut host, known(), b"GET /");
    assert_eq!((syn.option(34), &syn.payload[..], went), (Some(&[7; 8][..]), &b"GET /"[..], 5));
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 6).options(&[2, 4, 5, 180]));
    assert!(sent.len() == 1 && sent[0].payload.is_empty() && peer.seq(&sent[0]) == 6, "{sent:?}");
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(info.syn_data && info.bytes_acked == 5, "{info:?}");
    host.write(id, b"more");
    let sent = host.output();
    assert_eq!((peer.seq(&sent[0]), &sent[0].payload[..]), (6, &b"more"[..]));
}

#[test]
fn data_that_the_server_did_not_take_goes_again() {
    let mut host = Host::default();
    let (syn, id, _) = open(&mut host, known(), b"GET /");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1).options(&[2, 4, 5, 180]));
    assert!(sent.iter().any(|segment| segment.payload == b"GET /" && peer.seq(segment) == 1), "{sent:?}");
    host.answer(&peer.segment(ACK, 1, 6));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(!info.syn_data && info.bytes_acked == 5, "{info:?}");
}

#[test]
fn no_more_goes_with_a_syn_than_fits_beside_its_options() {
    let mut host = Host::default();
    let stream = pattern(5000);
    let (syn, _, went) = open(&mut host, known(), &stream);
    assert!((1000..=1420).contains(&went), "{went}");
    assert_eq!(syn.payload, stream[..went]);
}

#[test]
fn a_syn_that_is_sent_again_carries_no_data() {
    // RFC 7413 §4.1.3.1: something on the way may drop such SYNs.
    let mut host = Host::default();
    let (syn, _, _) = open(&mut host, known(), b"GET /");
    let again = host.sent_within(ms(1500)).remove(0);
    assert!(again.is(SYN) && again.payload.is_empty(), "{again:?}");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1).options(&[2, 4, 5, 180]));
    assert!(sent.iter().any(|segment| segment.payload == b"GET /"), "{sent:?}");
}

#[test]
fn an_answer_that_acknowledges_more_than_was_sent_is_refused() {
    let mut host = Host::default();
    let (syn, id, _) = open(&mut host, known(), b"GET /");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 7));
    assert!(sent[0].is(RST), "{sent:?}");
    assert_eq!(host.tcp.state(id), Some(State::SynSent));
}

#[test]
fn two_machines_save_a_round_trip_the_second_time() {
    let mut a = Host::default();
    let mut b = Host::at([10, 0, 0, 2], Config::default(), Sizes::default());
    let listener = listen(&mut b, 10);
    let (syn, first, _) = open(&mut a, Some(Cookie::REQUEST), b"question");
    b.input(&syn).unwrap();
    exchange(&mut a, &mut b);
    let cookie = a.tcp.fast_open_cookie(first);
    assert!(cookie.is_some());
    b.accept(listener).unwrap();
    let (syn, second, _) = open(&mut a, cookie, b"question");
    b.input(&syn).unwrap();
    let id = b.accept(listener).unwrap();
    assert_eq!(b.read(id), b"question");
    exchange(&mut a, &mut b);
    assert!(a.connected(second).is_ready());
}
