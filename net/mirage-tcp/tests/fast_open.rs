//! Data with the SYN (RFC 7413): listeners that take it, and connections that begin with it.

mod support;

use core::task::{Context, Poll, Waker};

use mirage_clock::Duration;
use mirage_stack::TcpOptions;
use mirage_tcp::{ConnectionId, Cookie, Error, FastOpen, FirstData, ListenerId, State};
use support::*;

const OPEN: FastOpen = FastOpen { key: [7; 16], pending: 2, without_cookie: false };

fn door(host: &mut Host) -> ListenerId {
    let listener = host.listen(80);
    host.tcp.set_fast_open(listener, Some(OPEN));
    listener
}

/// A SYN with a cookie option that holds `cookie`.
fn syn(peer: &Peer, cookie: &[u8], data: &[u8]) -> Segment {
    let mut options = vec![2, 4, 5, 180, 34, 2 + cookie.len() as u8];
    options.extend_from_slice(cookie);
    options.resize(options.len().next_multiple_of(4), 1);
    peer.segment(SYN, 0, 0).options(&options).data(data)
}

/// The cookie that a server gives to a peer that asks.
fn granted(host: &mut Host) -> Vec<u8> {
    let asking = Peer::new(80, 4999);
    let answer = host.answer(&syn(&asking, &[], &[])).remove(0);
    answer.option(34).unwrap().to_vec()
}

fn read(host: &mut Host, id: ConnectionId) -> Poll<Result<usize, Error>> {
    host.tcp.poll_read(id, &mut Context::from_waker(Waker::noop()), &mut [0; 64])
}

#[test]
fn data_with_a_cookie_is_read_before_the_handshake_is_over() {
    let mut host = Host::default();
    let listener = door(&mut host);
    let cookie = granted(&mut host);
    let peer = Peer::new(80, 4000);
    let sent = host.answer(&syn(&peer, &cookie, b"question"));
    assert_eq!((sent.len(), sent[0].flags, sent[0].ack), (1, SYN | ACK, peer.iss + 1 + 8));
    assert_eq!(sent[0].option(34), None, "it has one");
    let id = host.accept(listener).unwrap();
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().state, State::SynReceived);
    assert_eq!(host.read(id), b"question");
    host.write(id, b"answer");
    let sent = host.output();
    assert_eq!(sent[0].payload, b"answer");
}

#[test]
fn the_wrong_cookie_gets_the_right_one_and_an_ordinary_handshake() {
    let mut host = Host::default();
    let listener = door(&mut host);
    let peer = Peer::new(80, 4000);
    let sent = host.answer(&syn(&peer, &[1; 8], b"question"));
    assert_eq!(sent[0].ack, peer.iss + 1, "the data does not count");
    assert_eq!(sent[0].option(34).unwrap(), granted(&mut host));
    assert_eq!(host.accept(listener), None);
}

#[test]
fn nobody_takes_data_unasked() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let peer = Peer::new(80, 4000);
    let sent = host.answer(&syn(&peer, &[], b"question"));
    assert_eq!((sent[0].ack, sent[0].option(34)), (peer.iss + 1, None));
    assert_eq!(host.accept(listener), None);
}

#[test]
fn no_more_than_so_many_wait_for_the_end_of_their_handshake() {
    let mut host = Host::default();
    let listener = door(&mut host);
    let cookie = granted(&mut host);
    for port in 4000..4003 {
        host.answer(&syn(&Peer::new(80, port), &cookie, b"x"));
    }
    assert!(host.accept(listener).is_some() && host.accept(listener).is_some());
    assert_eq!(host.accept(listener), None, "the third goes the ordinary way");
}

#[test]
fn the_answer_to_a_syn_with_data_is_sent_again_and_given_up() {
    let mut host = Host::default();
    let listener = door(&mut host);
    let cookie = granted(&mut host);
    let peer = Peer::new(80, 4000);
    host.answer(&syn(&peer, &cookie, b"x"));
    let again = host.pass(Duration::from_secs(200));
    let mine = again.iter().filter(|(_, segment)| segment.to.port() == 4000).count();
    assert_eq!(mine, 5, "{again:?}");
    let id = host.accept(listener).unwrap();
    assert_eq!(read(&mut host, id), Poll::Ready(Ok(1)), "what came is there all the same");
    assert_eq!(read(&mut host, id), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn a_syn_that_comes_again_is_answered_again() {
    let mut host = Host::default();
    let listener = door(&mut host);
    let cookie = granted(&mut host);
    let peer = Peer::new(80, 4000);
    let first = host.answer(&syn(&peer, &cookie, b"x"));
    let again = host.answer(&syn(&peer, &cookie, b"x"));
    assert_eq!((again[0].seq, again[0].ack), (first[0].seq, first[0].ack));
    assert!(host.accept(listener).is_some());
    assert_eq!(host.accept(listener), None, "it is one connection");
}

#[test]
fn a_client_asks_for_a_cookie_and_sends_data_with_it() {
    let mut host = Host::default();
    let remote = "10.0.0.2:80".parse().unwrap();
    let ask = FirstData { cookie: Some(Cookie::REQUEST), peer_mss: 1460, bytes: b"lost?" };
    let here = host.address();
    let (id, taken) = host.tcp.connect_with(host.now, here, None, remote, TcpOptions::default(), &ask).unwrap();
    assert_eq!(taken, 0, "without a cookie nothing goes");
    let asked = host.output().remove(0);
    assert_eq!((asked.option(34), asked.payload.len()), (Some(&[][..]), 0));
    let answer = Segment::new(asked.to, asked.from, SYN | ACK).seq(100).ack(asked.seq + 1).window(9000);
    host.answer(&answer.options(&[2, 4, 5, 180, 34, 6, 1, 2, 3, 4, 1, 1]));
    let cookie = host.tcp.fast_open_cookie(id).unwrap();
    assert_eq!(cookie.as_bytes(), [1, 2, 3, 4]);

    let first = FirstData { cookie: Some(cookie), peer_mss: 1460, bytes: &pattern(5000) };
    let (id, taken) = host.tcp.connect_with(host.now, here, None, remote, TcpOptions::default(), &first).unwrap();
    assert_eq!(taken, 1420, "what the largest options leave");
    let sent = host.output().remove(0);
    assert_eq!((sent.payload.len(), sent.option(34)), (1420, Some(&[1, 2, 3, 4][..])));
    let answer = Segment::new(sent.to, sent.from, SYN | ACK).seq(100).ack(sent.seq + 1 + 1420).window(9000);
    host.answer(&answer.options(&[2, 4, 5, 180]));
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(info.syn_data && info.unacked == 0, "{info:?}");
}

#[test]
fn data_that_the_server_did_not_take_comes_again_at_once() {
    let mut host = Host::default();
    let remote = "10.0.0.2:80".parse().unwrap();
    let first = FirstData { cookie: Cookie::new(&[9; 8], false), peer_mss: 1460, bytes: b"question" };
    let here = host.address();
    host.tcp.connect_with(host.now, here, None, remote, TcpOptions::default(), &first).unwrap();
    let sent = host.output().remove(0);
    let answer = Segment::new(sent.to, sent.from, SYN | ACK).seq(100).ack(sent.seq + 1).window(9000);
    let sent = host.answer(&answer.options(&[2, 4, 5, 180]));
    assert_eq!(sent[0].payload, b"question");
}

#[test]
fn a_syn_that_is_lost_goes_again_without_data() {
    let mut host = Host::default();
    let remote = "10.0.0.2:80".parse().unwrap();
    let first = FirstData { cookie: Cookie::new(&[9; 8], false), peer_mss: 1460, bytes: b"question" };
    let here = host.address();
    host.tcp.connect_with(host.now, here, None, remote, TcpOptions::default(), &first).unwrap();
    host.output();
    let again = host.pass(Duration::from_secs(1)).remove(0).1;
    assert_eq!((again.payload.len(), again.option(34)), (0, None), "a middlebox may not like it");
}
