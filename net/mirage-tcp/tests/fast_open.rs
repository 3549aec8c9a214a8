//! Data in the SYN (RFC 7413).

mod support;

use core::net::SocketAddr;

use support::*;

fn server() -> Host {
    Host::new(Config { fast_open_server: true, ..Config::default() }, Sizes::default())
}

fn client() -> Host {
    Host::new(Config { fast_open_client: true, ..Config::default() }, Sizes::default())
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

/// What the machine that opens a connection sends after `written`, and its connection.
fn open(host: &mut Host, written: &[u8]) -> (Segment, ConnectionId) {
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    assert_eq!(host.write(id, written), written.len());
    let sent = host.output();
    assert_eq!(sent.len(), 1, "{sent:?}");
    (sent[0].clone(), id)
}

/// The machine learns a cookie of the server.
fn taught(host: &mut Host) {
    let (syn, id) = open(host, b"");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    host.answer(&peer.segment(SYN | ACK, 0, 1).options(&option(&[7; 8])));
    host.tcp.abort(id);
    host.output();
}

// --- the server ------------------------------------------------------------------------------------------------------

#[test]
fn who_asks_gets_a_cookie_of_eight_bytes_always_the_same() {
    let mut host = server();
    host.listen(80);
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
    let mut host = server();
    host.listen(80);
    let syn = Peer::new(80, 4000).segment(SYN, 0, 0).options(&[254, 4, 0xf9, 0x89]);
    let syn_ack = host.answer(&syn).remove(0);
    assert_eq!(syn_ack.option(34), None);
    let answer = syn_ack.option(254).unwrap();
    assert_eq!((answer.len(), &answer[..2]), (10, &[0xf9, 0x89][..]));
}

#[test]
fn data_with_a_cookie_is_read_before_the_handshake_is_complete() {
    let mut host = server();
    let listener = host.listen(80);
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
fn a_wrong_cookie_is_replaced_and_its_data_comes_again() {
    let mut host = server();
    let listener = host.listen(80);
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
    let mut host = server();
    let listener = host.listen(80);
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
    assert_eq!(times, [1, 3, 7, 15, 31]);
    assert_eq!(host.tcp.state(id), Some(State::Closed));
    assert_eq!(host.read_some(id, 1), core::task::Poll::Ready(Ok(b"x".to_vec())), "what came can still be read");
}

#[test]
fn an_answer_that_is_lost_with_the_syn_ack_arrives_after_all() {
    let mut host = server();
    let listener = host.listen(80);
    let cookie = cookie(&mut host);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0).options(&option(&cookie)).data(b"x")).remove(0).seq;
    let id = host.accept(listener).unwrap();
    host.write(id, b"answer");
    host.output();
    let again = host.sent_within(s(2));
    assert!(again.iter().any(|segment| segment.is(SYN | ACK)), "{again:?}");
    assert!(again.iter().any(|segment| segment.payload == b"answer" && peer.seq(segment) == 1), "{again:?}");
    host.answer(&peer.segment(ACK, 2, 7));
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().bytes_acked, 6);
}

#[test]
fn only_so_many_may_wait_for_their_peers() {
    let config = Config { fast_open_server: true, fast_open_pending: 2, ..Config::default() };
    let mut host = Host::new(config, Sizes::default());
    host.listen(80);
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
    let mut host = server();
    let listener = host.listen(80);
    let cookie = cookie(&mut host);
    let peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN, 0, 0).options(&option(&cookie))).remove(0);
    assert_eq!(peer.ack(&syn_ack), 1);
    assert!(host.accept(listener).is_some());
}

// --- the client ------------------------------------------------------------------------------------------------------

#[test]
fn the_first_syn_asks_for_a_cookie_and_its_data_waits() {
    let mut host = client();
    let (syn, id) = open(&mut host, b"GET /");
    assert!(syn.is(SYN) && syn.payload.is_empty(), "{syn:?}");
    assert_eq!(syn.option(34), Some(&[][..]));
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1).options(&option(&[7; 8])));
    assert!(sent.iter().any(|segment| segment.payload == b"GET /" && peer.seq(segment) == 1), "{sent:?}");
    assert!(host.connected(id).is_ready());
}

#[test]
fn the_next_syn_brings_the_cookie_and_the_data() {
    let mut host = client();
    taught(&mut host);
    let (syn, id) = open(&mut host, b"GET /");
    assert_eq!((syn.option(34), &syn.payload[..]), (Some(&[7; 8][..]), &b"GET /"[..]));
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 6).options(&[2, 4, 5, 180]));
    assert!(sent.len() == 1 && sent[0].payload.is_empty() && peer.seq(&sent[0]) == 6, "{sent:?}");
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().bytes_acked, 5);
    host.write(id, b"more");
    let sent = host.output();
    assert_eq!((peer.seq(&sent[0]), &sent[0].payload[..]), (6, &b"more"[..]));
}

#[test]
fn data_that_the_server_did_not_take_goes_again() {
    let mut host = client();
    taught(&mut host);
    let (syn, id) = open(&mut host, b"GET /");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1).options(&[2, 4, 5, 180]));
    assert!(sent.iter().any(|segment| segment.payload == b"GET /" && peer.seq(segment) == 1), "{sent:?}");
    host.answer(&peer.segment(ACK, 1, 6));
    assert_eq!(host.tcp.tcp_info(id, host.now).unwrap().bytes_acked, 5);
}

#[test]
fn more_than_fits_goes_behind_the_handshake() {
    let mut host = client();
    taught(&mut host);
    let stream = pattern(5000);
    let (syn, _) = open(&mut host, &stream);
    let first = syn.payload.len();
    assert!((1000..=1420).contains(&first), "{first}");
    assert_eq!(syn.payload, stream[..first]);
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1 + first as u32).options(&[2, 4, 5, 180]));
    let rest: Vec<u8> = sent.iter().flat_map(|segment| segment.payload.clone()).collect();
    assert_eq!(rest, stream[first..]);
}

#[test]
fn a_syn_that_is_sent_again_carries_nothing_and_the_server_is_suspected() {
    // RFC 7413 §4.1.3.1: something on the way may drop such SYNs.
    let mut host = client();
    taught(&mut host);
    let (syn, id) = open(&mut host, b"GET /");
    let again = host.sent_within(ms(1500)).remove(0);
    assert!(again.is(SYN) && again.payload.is_empty() && again.option(34).is_none(), "{again:?}");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 1).options(&[2, 4, 5, 180]));
    assert!(sent.iter().any(|segment| segment.payload == b"GET /"), "{sent:?}");
    host.tcp.abort(id);
    host.output();
    let (syn, _) = open(&mut host, b"again");
    assert!(syn.payload.is_empty() && syn.option(34).is_none(), "for an hour: {syn:?}");
    host.pass(s(3700));
    let (syn, _) = open(&mut host, b"again");
    assert_eq!(syn.payload, b"again");
}

#[test]
fn an_answer_that_acknowledges_more_than_was_sent_is_refused() {
    let mut host = client();
    taught(&mut host);
    let (syn, id) = open(&mut host, b"GET /");
    let mut peer = Peer::new(syn.from.port(), 80);
    peer.irs = syn.seq;
    let sent = host.answer(&peer.segment(SYN | ACK, 0, 7));
    assert!(sent[0].is(RST), "{sent:?}");
    assert_eq!(host.tcp.state(id), Some(State::SynSent));
}

#[test]
fn without_the_setting_nothing_is_written_before_the_connection_is_there() {
    let mut host = Host::default();
    let id = host.connect(SocketAddr::new(THERE, 80)).unwrap();
    assert_eq!(host.write(id, b"early"), 0);
    assert_eq!(host.output()[0].option(34), None);
}

#[test]
fn two_machines_save_a_round_trip_the_second_time() {
    let mut a = client();
    let mut b = Host::at([10, 0, 0, 2], Config { fast_open_server: true, ..Config::default() }, Sizes::default());
    let listener = b.listen(80);
    for turn in 0..2 {
        let x = a.connect(SocketAddr::new(THERE, 80)).unwrap();
        a.write(x, b"question");
        let syn = a.output().remove(0);
        b.input(&syn).unwrap();
        assert_eq!(b.accept(listener).is_some(), turn == 1);
        if turn == 0 {
            exchange(&mut a, &mut b);
            let y = b.accept(listener).unwrap();
            assert_eq!(b.read(y), b"question");
        }
        exchange(&mut a, &mut b);
        assert!(a.connected(x).is_ready());
    }
}
