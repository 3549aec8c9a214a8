//! Listeners: backlog, half-open handshakes, cookies, addresses.

mod support;

use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll};

use mirage_net::testing::Wakes;
use mirage_tcp::{Answering, ListenError, Local, Profile, Small};
use support::*;

/// Sends a SYN and takes the answer.
fn ask<P: Profile>(host: &mut Machine<P>, here: SocketAddr, there_port: u16) -> Peer {
    let mut peer = Peer::new(here.port(), there_port);
    peer.here = here;
    let sent = host.answer(&peer.segment(SYN, 0, 0).options(&Handshake::default().options()));
    let [syn_ack] = &sent[..] else { panic!("one SYN-ACK, not {sent:?}") };
    assert!(syn_ack.is(SYN | ACK), "{syn_ack:?}");
    peer.irs = syn_ack.seq;
    peer
}

/// Completes the handshake of a peer; the machine may ignore its last step.
fn shake(host: &mut Host, here: SocketAddr, there_port: u16) -> Peer {
    let peer = ask(host, here, there_port);
    host.answer(&peer.segment(ACK, 1, 1));
    peer
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::new(HERE, port)
}

#[test]
fn connections_wait_in_order_up_to_the_backlog() {
    let mut host = Host::default();
    let listener = host.listen_with(None, Some(80), ListenOptions { backlog: 3, ..ListenOptions::default() }).unwrap();
    let peers: Vec<Peer> = (0..5).map(|port| ask(&mut host, here(80), 4000 + port)).collect();
    for peer in &peers {
        assert_eq!(host.answer(&peer.segment(ACK, 1, 1)), []);
    }
    assert_eq!(host.tcp.stats().connections, 3);
    for expected in 0..3 {
        let id = host.accept(listener).unwrap();
        assert_eq!(host.tcp.remote(id), Some(SocketAddr::new(THERE, 4000 + expected)));
    }
    assert_eq!(host.accept(listener), None);
    // The others tried to complete in vain; they send again and come in now.
    for peer in &peers[3..] {
        host.answer(&peer.data(1, 1, b"hello"));
        let id = host.accept(listener).expect("there is room now");
        assert_eq!(host.tcp.remote(id), Some(peer.there));
        assert_eq!(host.read(id), b"hello");
    }
}

#[test]
fn who_waits_for_a_full_backlog_gets_its_syn_ack_again() {
    let mut host = Host::default();
    let listener = host.listen_with(None, Some(80), ListenOptions { backlog: 1, ..ListenOptions::default() }).unwrap();
    let late = ask(&mut host, here(80), 4001);
    shake(&mut host, here(80), 4000);
    host.answer(&late.segment(ACK, 1, 1));
    let again = host.sent_within(ms(1500));
    assert!(again.iter().any(|segment| segment.is(SYN | ACK) && segment.to == late.there), "{again:?}");
    host.accept(listener).unwrap();
    host.answer(&late.segment(ACK, 1, 1));
    assert!(host.accept(listener).is_some());
}

#[test]
fn a_connection_that_is_reset_while_it_waits_frees_its_place() {
    let mut host = Host::default();
    let listener = host.listen_with(None, Some(80), ListenOptions { backlog: 1, ..ListenOptions::default() }).unwrap();
    let gone = shake(&mut host, here(80), 4000);
    host.answer(&gone.segment(RST, 1, 0));
    let peer = shake(&mut host, here(80), 4001);
    let mut accepted = Vec::new();
    while let Some(id) = host.accept(listener) {
        accepted.push(host.tcp.remote(id));
        host.tcp.close(id);
    }
    assert!(accepted.contains(&Some(peer.there)), "{accepted:?}");
}

#[test]
fn who_has_the_place_of_another_is_answered_once() {
    // What nearly every SYN says: segment size, selective acknowledgments, timestamps, window scale.
    let usual = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
    for options in [&usual[..], &[]] {
        let mut host = Host::new(Config::default(), Sizes { half_open: 1, ..Sizes::default() });
        host.listen(80);
        let (gone, peer) = (Peer::new(80, 4000), Peer::new(80, 4001));
        // All in one batch: nothing is sent meanwhile.
        host.input(&gone.segment(SYN, 0, 0).options(options)).unwrap();
        host.input(&gone.segment(RST, 1, 0)).unwrap();
        host.input(&peer.segment(SYN, 0, 0).options(options)).unwrap();
        let sent = host.output();
        assert_eq!(sent.iter().map(|segment| segment.to).collect::<Vec<_>>(), [peer.there], "{sent:?}");
    }
}

#[test]
fn handshakes_under_way_are_bounded_and_cookies_take_over() {
    let mut host = Host::new(Config::default(), Sizes { half_open: 4, ..Sizes::default() });
    let listener = host.listen(80);
    for port in 0..20 {
        assert_eq!(host.answer(&Peer::new(80, 1000 + port).segment(SYN, 0, 0)).len(), 1, "all are answered");
    }
    let stats = host.tcp.stats();
    assert!(stats.half_open <= 4);
    assert!(stats.cookies_sent >= 16, "{stats:?}");
    let peer = shake(&mut host, here(80), 4000);
    let id = host.accept(listener).expect("a cookie completes the handshake");
    assert_eq!(host.tcp.stats().cookies_accepted, 1);
    host.answer(&peer.data(1, 1, b"hello"));
    assert_eq!(host.read(id), b"hello");
    host.write(id, &pattern(3000));
    assert_eq!(host.output()[0].payload.len(), 1460, "the cookie remembers the MSS");
}

#[test]
fn a_forged_or_expired_cookie_opens_nothing() {
    let mut host = Host::new(Config::default(), Sizes { half_open: 0, ..Sizes::default() });
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    for forged in [1_u32, 2, 1000, 0x8000_0000, 0xffff_ffff] {
        host.answer(&peer.segment(ACK, 1, 1_u32.wrapping_add(forged)));
        assert_eq!(host.accept(listener), None);
    }
    let mut other = peer.clone();
    other.there.set_port(4001);
    host.answer(&other.segment(ACK, 1, 1));
    assert_eq!(host.accept(listener), None, "a cookie is bound to its ends");
    host.pass(s(200));
    host.answer(&peer.segment(ACK, 1, 1));
    assert_eq!(host.accept(listener), None, "and to its time");
}

#[test]
fn a_cookie_is_believed_although_a_later_syn_found_room() {
    // The first SYN is answered by a cookie, the same SYN again by a half-open handshake; the peer took the cookie.
    let mut host = Host::new(Config::default(), Sizes { half_open: 1, ..Sizes::default() });
    let listener = host.listen(80);
    let other = ask(&mut host, here(80), 1000);
    let peer = ask(&mut host, here(80), 4000);
    host.answer(&other.segment(RST, 1, 0));
    let again = host.answer(&peer.segment(SYN, 0, 0));
    assert_ne!(again[0].seq, peer.irs, "another number this time");
    assert_eq!(host.answer(&peer.segment(ACK, 1, 1)), []);
    let id = host.accept(listener).expect("the handshake is complete");
    assert_eq!(host.tcp.remote(id), Some(peer.there));
    assert_eq!(host.tcp.stats().half_open, 0);
}

#[test]
fn data_that_overtakes_the_first_segment_of_a_cookie_does_not_reset() {
    let mut host = Host::new(Config::default(), Sizes { half_open: 0, ..Sizes::default() });
    let listener = host.listen(80);
    let peer = ask(&mut host, here(80), 4000);
    assert_eq!(host.answer(&peer.data(6, 1, b" world")), []);
    host.answer(&peer.data(1, 1, b"hello"));
    let id = host.accept(listener).unwrap();
    host.answer(&peer.data(6, 1, b" world"));
    assert_eq!(host.read(id), b"hello world");
}

#[test]
fn cookies_are_not_believed_where_none_were_needed() {
    let mut host = Host::new(Config::default(), Sizes { half_open: 1, ..Sizes::default() });
    let listener = host.listen(80);
    host.answer(&Peer::new(80, 1000).segment(SYN, 0, 0));
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.pass(s(1000));
    let sent = host.answer(&peer.segment(ACK, 1, 1));
    assert!(sent.iter().all(|segment| segment.has(RST)), "{sent:?}");
    assert_eq!(host.accept(listener), None);
}

#[test]
fn the_most_specific_listener_has_the_connection() {
    let mut host = Host::default();
    let other: IpAddr = [10, 0, 0, 99].into();
    let any = host.listen_with(None, None, ListenOptions::default()).unwrap();
    let port = host.listen_with(None, Some(80), ListenOptions::default()).unwrap();
    let exact = host.listen_with(Some(HERE), Some(80), ListenOptions::default()).unwrap();
    for (to, expected) in [(here(80), exact), (SocketAddr::new(other, 80), port), (here(81), any)] {
        shake(&mut host, to, 4000);
        for listener in [any, port, exact] {
            let id = host.accept(listener);
            assert_eq!(id.is_some(), listener == expected, "{to}");
            if let Some(id) = id {
                assert_eq!(host.tcp.local(id), Some(to));
            }
        }
    }
}

#[test]
fn a_later_listener_that_fits_better_has_what_comes_from_then_on() {
    let mut host = Host::default();
    let port = host.listen_with(None, Some(80), ListenOptions::default()).unwrap();
    shake(&mut host, here(80), 4000);
    assert!(host.accept(port).is_some());
    let exact = host.listen_with(Some(HERE), Some(80), ListenOptions::default()).unwrap();
    shake(&mut host, here(80), 4001);
    assert!(host.accept(port).is_none() && host.accept(exact).is_some());
    host.tcp.close_listener(exact);
    shake(&mut host, here(80), 4002);
    assert!(host.accept(port).is_some());
}

#[test]
fn a_handshake_that_ends_before_its_answer_leaves_gets_none() {
    let mut host = Host::default();
    host.listen(80);
    let peer = Peer::new(80, 4000);
    for reset in [true, false] {
        host.input(&peer.segment(SYN, 0, 0).options(&Handshake::default().options())).unwrap();
        if reset {
            host.input(&peer.segment(RST, 1, 0)).unwrap();
            assert_eq!(host.tcp.stats().half_open, 0);
        }
        assert_eq!(host.output().len(), usize::from(!reset));
    }
}

#[test]
fn one_port_on_several_addresses_is_several_listeners() {
    let mut host = Host::default();
    let other: IpAddr = [10, 0, 0, 99].into();
    let first = host.listen_with(Some(HERE), Some(80), ListenOptions::default()).unwrap();
    let second = host.listen_with(Some(other), Some(80), ListenOptions::default()).unwrap();
    assert_eq!(host.listen_with(Some(HERE), Some(80), ListenOptions::default()), Err(ListenError::AddressInUse));
    shake(&mut host, here(80), 4000);
    shake(&mut host, SocketAddr::new(other, 80), 4000);
    assert!(host.accept(first).is_some() && host.accept(second).is_some());
    assert_eq!(
        host.answer(&Segment::new(SocketAddr::new(THERE, 1), SocketAddr::new([10, 0, 0, 7].into(), 80), SYN)).len(),
        1
    );
    assert_eq!(host.tcp.stats().half_open, 0, "nobody listens on the third address");
}

#[test]
fn a_listener_on_every_port_takes_every_port() {
    let mut host = Host::default();
    let gateway = host.listen_with(None, None, ListenOptions::default()).unwrap();
    for port in [1, 80, 65_535] {
        shake(&mut host, here(port), 4000);
        let id = host.accept(gateway).unwrap();
        assert_eq!(host.tcp.local(id), Some(here(port)));
    }
    let local = Local { address: None, port: None };
    assert_eq!(host.tcp.listener_local(gateway), Some(local));
}

#[test]
fn a_closed_listener_resets_who_waits_and_refuses_who_comes() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let waiting = shake(&mut host, here(80), 4000);
    let kept = shake(&mut host, here(80), 4001);
    let first = host.accept(listener).unwrap();
    assert_eq!(host.tcp.remote(first), Some(waiting.there));
    host.tcp.close_listener(listener);
    let sent = host.output();
    assert!(sent.len() == 1 && sent[0].has(RST) && sent[0].to == kept.there, "{sent:?}");
    assert_eq!(host.tcp.state(first), Some(State::Established), "accepted ones live on");
    let refused = host.answer(&Peer::new(80, 4002).segment(SYN, 0, 0));
    assert!(refused[0].is(RST | ACK));
    let mut cx = Context::from_waker(core::task::Waker::noop());
    assert_eq!(host.tcp.poll_accept(listener, &mut cx), Poll::Ready(Err(Error::Closed)));
    let again = host.listen(80);
    assert_ne!(again, listener);
}

#[test]
fn a_handshake_under_way_does_not_outlive_its_listener() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0))[0].seq;
    host.tcp.close_listener(listener);
    let another = host.listen(80);
    host.answer(&peer.segment(ACK, 1, 1));
    assert_eq!(host.accept(another), None);
}

#[test]
fn listeners_are_bounded() {
    let mut host = Host::new(Config::default(), Sizes { listeners: 2, ..Sizes::default() });
    host.listen(80);
    let second = host.listen(81);
    let third = host.listen_with(None, Some(82), ListenOptions::default());
    assert_eq!(third, Err(ListenError::OutOfListeners));
    host.tcp.close_listener(second);
    host.listen(82);
}

#[test]
fn connections_are_bounded_and_a_peer_comes_in_when_one_ends() {
    let mut host = Host::new(Config::default(), Sizes { connections: 2, ..Sizes::default() });
    let listener = host.listen(80);
    let late = ask(&mut host, here(80), 4002);
    shake(&mut host, here(80), 4000);
    shake(&mut host, here(80), 4001);
    host.answer(&late.segment(ACK, 1, 1));
    let (first, second) = (host.accept(listener).unwrap(), host.accept(listener).unwrap());
    assert_eq!(host.accept(listener), None);
    host.tcp.abort(first);
    host.output();
    host.answer(&late.segment(ACK, 1, 1));
    let third = host.accept(listener).expect("the slot is free");
    assert_eq!(host.tcp.remote(third), Some(late.there));
    assert_eq!(host.tcp.state(second), Some(State::Established));
}

#[test]
fn everybody_who_waits_for_a_connection_is_woken() {
    let mut host = Host::default();
    let listener = host.listen(80);
    let (first, second) = (Wakes::new(), Wakes::new());
    for wakes in [&first, &second] {
        assert!(host.tcp.poll_accept(listener, &mut Context::from_waker(wakes.waker())).is_pending());
    }
    shake(&mut host, here(80), 4000);
    assert_eq!((first.count(), second.count()), (1, 1));
}

#[test]
fn a_port_that_is_named_is_used_and_used_once() {
    let mut host = Host::default();
    let port = NonZeroU16::new(7777);
    let remote = SocketAddr::new(THERE, 80);
    host.tcp.connect(host.now, HERE, port, remote, TcpOptions::default()).unwrap();
    assert_eq!(host.output()[0].from, here(7777));
    let again = host.tcp.connect(host.now, HERE, port, remote, TcpOptions::default());
    assert_eq!(again, Err(mirage_tcp::ConnectError::AddressInUse));
    let elsewhere = SocketAddr::new(THERE, 81);
    host.tcp.connect(host.now, HERE, port, elsewhere, TcpOptions::default()).unwrap();
}

#[test]
fn who_only_answers_opens_nothing() {
    let mut host = Machine::<Answering<Small>>::default();
    let refused = host.tcp.connect(host.now, HERE, None, SocketAddr::new(THERE, 80), TcpOptions::default());
    assert_eq!(refused, Err(mirage_tcp::ConnectError::Unsupported));
    host.listen(80);
    ask(&mut host, here(80), 40_000);
}

#[test]
fn nobody_is_connected_to_where_nobody_can_be() {
    let mut host = Host::default();
    for remote in ["0.0.0.0:80", "224.0.0.1:80", "255.255.255.255:80", "10.0.0.2:0", "[2001:db8::1]:80"] {
        let remote = remote.parse().unwrap();
        let refused = host.tcp.connect(host.now, HERE, None, remote, TcpOptions::default());
        assert_eq!(refused, Err(mirage_tcp::ConnectError::InvalidAddress), "{remote}");
    }
}

// --- what a cookie keeps ---------------------------------------------------------------------------------------------

/// The options of a SYN with timestamps, and those of the acknowledgement that echoes `value`.
fn stamped(value: u32) -> (Vec<u8>, Vec<u8>) {
    let mut syn = vec![2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 9];
    let mut ack = vec![1, 1, 8, 10, 0, 0, 0, 8];
    ack.extend(value.to_be_bytes());
    syn.truncate(20);
    (syn, ack)
}

/// A machine whose table of handshakes is full: it answers with cookies.
fn full() -> (Host, mirage_tcp::ListenerId) {
    let mut host = Host::new(Config::default(), Sizes { half_open: 1, ..Sizes::default() });
    let listener = host.listen(80);
    host.answer(&Peer::new(80, 9999).segment(SYN, 0, 0));
    (host, listener)
}

#[test]
fn a_cookie_keeps_all_options_of_a_peer_with_timestamps() {
    let (mut host, listener) = full();
    let mut peer = Peer::new(80, 4000);
    let syn_ack = host.answer(&peer.segment(SYN | ECE | CWR, 0, 0).options(&stamped(0).0)).remove(0);
    assert!(syn_ack.is(SYN | ACK | ECE), "{syn_ack:?}");
    assert!(syn_ack.option(3).is_some() && syn_ack.option(4).is_some());
    let stamp = u32::from_be_bytes(syn_ack.option(8).unwrap()[..4].try_into().unwrap());
    assert_eq!(host.tcp.stats().cookies_sent, 1);
    peer.irs = syn_ack.seq;
    peer.window = 100;
    host.pass(ms(30));
    host.answer(&peer.segment(ACK, 1, 1).options(&stamped(stamp).1));
    let id = host.accept(listener).unwrap();
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(info.sack && info.timestamps && info.ecn, "{info:?}");
    assert_eq!((info.snd_wscale, info.snd_wnd), (Some(9), 100 << 9));
    host.write(id, b"hello");
    let sent = host.output().remove(0);
    let later = u32::from_be_bytes(sent.option(8).unwrap()[..4].try_into().unwrap());
    assert!((30..94).contains(&later.wrapping_sub(stamp)), "the clock goes on: {stamp}, then {later}");
    assert_eq!(sent.option(8).unwrap()[4..], [0, 0, 0, 8]);
}

#[test]
fn a_cookie_of_a_peer_without_timestamps_keeps_its_segment_size_alone() {
    let (mut host, listener) = full();
    let mut peer = Peer::new(80, 4000);
    let options = [2, 4, 5, 180, 4, 2, 3, 3, 9];
    let syn_ack = host.answer(&peer.segment(SYN | ECE | CWR, 0, 0).options(&options)).remove(0);
    assert!(syn_ack.is(SYN | ACK), "{syn_ack:?}");
    assert!(syn_ack.option(3).is_none() && syn_ack.option(4).is_none() && syn_ack.option(8).is_none());
    peer.irs = syn_ack.seq;
    host.answer(&peer.segment(ACK, 1, 1));
    let id = host.accept(listener).unwrap();
    let info = host.tcp.tcp_info(id, host.now).unwrap();
    assert!(!info.sack && !info.timestamps && !info.ecn && info.snd_wscale.is_none(), "{info:?}");
}

#[test]
fn a_cookie_whose_timestamp_is_not_echoed_does_without() {
    let (mut host, listener) = full();
    let mut peer = Peer::new(80, 4000);
    peer.irs = host.answer(&peer.segment(SYN, 0, 0).options(&stamped(0).0)).remove(0).seq;
    host.answer(&peer.segment(ACK, 1, 1));
    let id = host.accept(listener).unwrap();
    assert!(!host.tcp.tcp_info(id, host.now).unwrap().timestamps);
}
