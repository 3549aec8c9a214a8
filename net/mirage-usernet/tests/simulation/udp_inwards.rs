//! Strangers send datagrams to a port of the host.

use mirage_stack::UdpSocket as _;
use mirage_usernet::Config;
use mirage_usernet::Transport::Udp;

use crate::common::s;
use crate::lab::{HOST, Lab, assert_nothing_is_left, at, bind, forwarding};

#[test]
fn two_strangers_are_answered_each_for_himself() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Udp, 5_353, 53)]));
    lab.run(&gateway, async {
        let guest = bind(&lab.guest, 53);
        let (one, other) = (bind(&lab.server, 1_001), bind(&lab.server, 1_002));
        let mut buffer = [0; 64];
        one.send_to(b"one", at(HOST, 5_353)).await.unwrap();
        let from_one = guest.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..from_one.len], b"one");
        other.send_to(b"other", at(HOST, 5_353)).await.unwrap();
        let from_other = guest.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..from_other.len], b"other");
        assert_eq!(from_one.remote.ip(), at("10.0.2.2", 0).ip());
        assert_ne!(from_one.remote, from_other.remote, "the guest can tell them apart");

        guest.send_to(b"for other", from_other.remote).await.unwrap();
        guest.send_to(b"for one", from_one.remote).await.unwrap();
        let answer = one.recv_from(&mut buffer).await.unwrap();
        assert_eq!((answer.remote, &buffer[..answer.len]), (at(HOST, 5_353), &b"for one"[..]));
        let answer = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!((answer.remote, &buffer[..answer.len]), (at(HOST, 5_353), &b"for other"[..]));
    });
}

#[test]
fn a_silent_stranger_is_forgotten() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { conversation_timeout: s(120), ..forwarding(&[(Udp, 5_353, 53)]) });
    lab.run(&gateway, async {
        let (guest, stranger) = (bind(&lab.guest, 53), bind(&lab.server, 1_001));
        stranger.send_to(b"hello", at(HOST, 5_353)).await.unwrap();
        guest.recv_from(&mut [0; 8]).await.unwrap();
        lab.sleep(s(119)).await;
        assert_eq!((gateway.counters().conversations, gateway.stack_counters().udp.sockets), (1, 2));
        lab.sleep(s(2)).await;
        // The door inwards stays, and so does the one outwards.
        assert_nothing_is_left(&lab, &gateway, 1).await;
        assert_eq!(gateway.stack_counters().udp.sockets, 1);
    });
}

#[test]
fn the_guest_answers_by_the_port_it_was_asked_at() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Udp, 5_353, 53), (Udp, 5_354, 53)]));
    lab.run(&gateway, async {
        let (guest, stranger) = (bind(&lab.guest, 53), bind(&lab.server, 1_001));
        let mut buffer = [0; 64];
        for door in [5_353, 5_354] {
            stranger.send_to(b"hello", at(HOST, door)).await.unwrap();
            let question = guest.recv_from(&mut buffer).await.unwrap();
            guest.send_to(b"yes?", question.remote).await.unwrap();
            assert_eq!(stranger.recv_from(&mut buffer).await.unwrap().remote, at(HOST, door));
        }
        assert_eq!(gateway.counters().conversations, 2);
    });
}

#[test]
fn a_guest_that_is_not_listening_yet_is_reached_later() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Udp, 5_353, 53)]));
    lab.run(&gateway, async {
        let stranger = bind(&lab.server, 1_001);
        stranger.send_to(b"hello?", at(HOST, 5_353)).await.unwrap();
        lab.sleep(s(1)).await;
        let guest = bind(&lab.guest, 53);
        // The refusal may be told to the next datagram, which is then lost.
        stranger.send_to(b"hello?", at(HOST, 5_353)).await.unwrap();
        stranger.send_to(b"hello?", at(HOST, 5_353)).await.unwrap();
        guest.recv_from(&mut [0; 8]).await.unwrap();
        assert_eq!(gateway.counters().begun, 1);
    });
}
