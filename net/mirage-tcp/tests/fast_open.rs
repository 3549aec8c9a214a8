//! Data with the SYN (RFC 7413): listeners that take it, and connections that begin with it.

mod support;

use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};

use mirage_clock::Duration;
use mirage_stack::TcpOptions;
use mirage_tcp::{ConnectionId, Cookie, Error, FastOpen, ListenerId, Server, State};
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

/// A machine that remembers servers.
fn client() -> Host {
    let mut host = Host::default();
    host.tcp.remember_servers(mirage_tcp::ManagedSlice::Borrowed(vec![Default::default(); 4].leak()));
    host
}

/// Connects to the server at this port; the SYN, and how much went with it.
fn first(host: &mut Host, port: u16, bytes: &[u8]) -> (ConnectionId, Segment, usize) {
    let (here, remote) = (host.address(), SocketAddr::new(THERE, port));
    let (id, taken) = host.tcp.connect_first(host.now, here, None, remote, TcpOptions::default(), bytes).unwrap();
    (id, host.output().remove(0), taken)
}

/// The answer to a SYN, which acknowledges so many bytes of its data.
fn answer(host: &mut Host, syn: &Segment, acked: u32, options: &[u8]) -> Vec<Segment> {
    let answer = Segment::new(syn.to, syn.from, SYN | ACK).seq(100).ack(syn.seq + 1 + acked).window(9000);
    host.answer(&answer.options(&[&[2, 4, 5, 180], options].concat()))
}

/// A machine that has a cookie of the server's.
fn known(cookie: &[u8]) -> Host {
    let mut host = client();
    let server = Server { cookie: Cookie::new(cookie, false), without_cookie: false, mss: 1460 };
    let here = host.address();
    host.tcp.set_server(host.now, here, THERE, server);
    host
}

#[test]
fn a_client_asks_for_a_cookie_and_sends_data_with_it() {
    let mut host = client();
    let (_, asked, taken) = first(&mut host, 80, b"lost?");
    assert_eq!(taken, 0, "without a cookie nothing goes");
    assert_eq!((asked.option(34), asked.payload.len()), (Some(&[][..]), 0));
    answer(&mut host, &asked, 0, &[34, 6, 1, 2, 3, 4, 1, 1]);
    let server = host.tcp.server(host.address(), THERE).unwrap();
    assert_eq!((server.cookie.unwrap().as_bytes(), server.mss), (&[1, 2, 3, 4][..], 1460));

    let (id, sent, taken) = first(&mut host, 80, &pattern(5000));
    assert_eq!(taken, 1420, "what the largest options leave");
    assert_eq!((sent.payload.len(), sent.option(34)), (1420, Some(&[1, 2, 3, 4][..])));
    answer(&mut host, &sent, 1420, &[]);
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(info.syn_data && info.unacked == 0, "{info:?}");
}

#[test]
fn without_room_to_remember_it_is_an_ordinary_connection() {
    let mut host = Host::default();
    let (_, syn, taken) = first(&mut host, 80, b"question");
    assert_eq!((taken, syn.option(34), syn.payload.len()), (0, None, 0));
}

#[test]
fn data_that_the_server_did_not_take_comes_again_at_once() {
    let mut host = known(&[9; 8]);
    let (id, syn, _) = first(&mut host, 80, b"question");
    let sent = answer(&mut host, &syn, 0, &[]);
    assert_eq!(sent[0].payload, b"question");
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert_eq!((info.syn_data, info.total_retrans), (false, 1));
}

#[test]
fn a_part_that_the_server_took_does_not_come_again() {
    let mut host = known(&[9; 8]);
    let (id, syn, _) = first(&mut host, 80, b"question");
    let sent = answer(&mut host, &syn, 5, &[]);
    assert_eq!(sent[0].payload, b"ion");
    assert!(!host.tcp.tcp_info(id, host.now).unwrap().syn_data);
}

#[test]
fn a_syn_that_is_lost_goes_again_without_data() {
    let mut host = known(&[9; 8]);
    first(&mut host, 80, b"question");
    let again = host.pass(Duration::from_secs(1)).remove(0).1;
    assert_eq!((again.payload.len(), again.option(34)), (0, None), "a middlebox may not like it");
}

#[test]
fn where_data_came_to_nothing_no_more_is_sent_for_an_hour() {
    let mut host = known(&[9; 8]);
    let (_, syn, _) = first(&mut host, 80, b"question");
    answer(&mut host, &syn, 0, &[]);
    let (_, syn, taken) = first(&mut host, 80, b"question");
    assert_eq!((taken, syn.option(34)), (0, None));
    let (_, syn, taken) = first(&mut host, 81, b"question");
    assert_eq!((taken, syn.option(34).is_some()), (8, true), "another port may do better");
    host.now += Duration::from_secs(3601);
    assert_eq!(first(&mut host, 80, b"question").2, 8);
}

#[test]
fn a_new_cookie_is_no_refusal() {
    let mut host = known(&[9; 8]);
    let (_, syn, _) = first(&mut host, 80, b"question");
    answer(&mut host, &syn, 0, &[34, 6, 1, 2, 3, 4, 1, 1]);
    let (_, syn, taken) = first(&mut host, 80, b"question");
    assert_eq!((taken, syn.option(34)), (8, Some(&[1, 2, 3, 4][..])));
}

#[test]
fn one_lost_syn_is_an_accident_and_two_are_none() {
    let mut host = known(&[9; 8]);
    for expected in [8, 8, 0] {
        let (_, _, taken) = first(&mut host, 80, b"question");
        assert_eq!(taken, expected);
        let again = host.pass(Duration::from_secs(1)).remove(0).1;
        answer(&mut host, &again, 0, &[]);
        host.pass(Duration::from_secs(1));
    }
}

#[test]
fn a_server_that_never_answers_is_not_tried_again() {
    let mut host = known(&[9; 8]);
    first(&mut host, 80, b"question");
    host.pass(Duration::from_secs(200));
    assert_eq!(first(&mut host, 80, b"question").2, 0);
}

#[test]
fn the_end_may_come_with_the_answer() {
    let mut host = known(&[9; 8]);
    let (id, syn, _) = first(&mut host, 80, b"question");
    let all = Segment::new(syn.to, syn.from, SYN | ACK | FIN).seq(100).ack(syn.seq + 9).window(9000);
    let acks = host.answer(&all.options(&[2, 4, 5, 180]).data(b"answer"));
    assert_eq!((acks.len(), acks[0].ack), (1, 100 + 1 + 6 + 1));
    assert_eq!(host.read(id), b"answer");
    assert_eq!(read(&mut host, id), Poll::Ready(Ok(0)));
}

#[test]
fn an_answer_that_echoes_what_no_syn_carried_is_refused() {
    let mut host = client();
    let (_, syn, _) = first(&mut host, 80, b"");
    let value = u32::from_be_bytes(syn.option(8).unwrap()[..4].try_into().unwrap());
    let stamps = |echo: u32| [&[1, 1, 8, 10, 0, 0, 0, 1][..], &echo.to_be_bytes()].concat();
    let sent = answer(&mut host, &syn, 0, &stamps(value.wrapping_add(5000)));
    assert!(sent[0].has(RST), "{sent:?}");
    let sent = answer(&mut host, &syn, 0, &stamps(value));
    assert!(sent[0].is(ACK), "{sent:?}");
}

#[test]
fn a_write_that_waits_carries_the_acknowledgement() {
    let mut host = client();
    let (id, syn, _) = first(&mut host, 80, b"");
    assert!(host.try_write(id, b"question").is_pending());
    assert!(answer(&mut host, &syn, 0, &[]).is_empty());
    host.write(id, b"question");
    let sent = host.output();
    assert_eq!((sent.len(), &sent[0].payload[..]), (1, &b"question"[..]));
}
