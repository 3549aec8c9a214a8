//! The guest connects to the outside.

use futures_util::future::join4;
use mirage_flow::{Read, Split, Write};
use mirage_stack::TcpStream as _;
use mirage_tcpip::ErrorKind;
use mirage_usernet::Config;

use crate::common::{receive, s, send};
use crate::lab::{HOST, Lab, SERVER, assert_nothing_is_left, at, connect, pair};

#[test]
fn the_guest_reaches_a_server_in_the_name_of_the_host() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (mut guest, mut server) = pair(&lab.guest, at(SERVER, 80), &lab.server, 80).await;
        assert_eq!(server.remote_addr().ip(), at(HOST, 0).ip());
        assert_eq!(guest.remote_addr(), at(SERVER, 80));
        guest.write_all(b"who is there?").await.unwrap();
        let mut question = [0; 13];
        server.read_exact(&mut question).await.unwrap();
        assert_eq!(&question, b"who is there?");
        drop(guest);
        drop(server);
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn ten_megabytes_pass_both_ways_at_once() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let (mut guest, mut server) = pair(&lab.guest, at(SERVER, 80), &lab.server, 80).await;
        let ((mut from_guest, mut to_guest), (mut from_server, mut to_server)) = (guest.split(), server.split());
        let len = 10_000_000;
        let (_, _, up, down) = join4(
            send(&mut to_guest, 1, len),
            send(&mut to_server, 2, len),
            receive(&mut from_server, 1),
            receive(&mut from_guest, 2),
        )
        .await;
        assert_eq!((up, down), (len, len));
    });
}

#[test]
fn a_port_that_refuses_resets_the_guest() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let mut guest = connect(&lab.guest, at(SERVER, 81)).await.expect("the gateway takes everything");
        assert_eq!(guest.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_nothing_is_left(&lab, &gateway, 0).await;
        assert_eq!(gateway.counters().unjoined, 1);
    });
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { connect_timeout: s(2), ..Config::default() });
    lab.run(&gateway, async {
        // The host has no way there but ARP, which nobody answers.
        let start = lab.now();
        let mut guest = connect(&lab.guest, at("192.0.2.77", 80)).await.expect("the gateway takes everything");
        assert_eq!(guest.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert!(lab.now().since(start) <= s(3));
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn nobody_is_at_the_rest_of_the_guests_network() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let mut guest = connect(&lab.guest, at("10.0.2.77", 80)).await.expect("the gateway takes everything");
        assert_eq!(guest.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_eq!(gateway.counters().forbidden, 1);
        assert_eq!(lab.host.counters().tcp.opened, 0);
    });
}

#[test]
fn nothing_leaves_when_outbound_is_off() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config { outbound: false, ..Config::default() });
    lab.run(&gateway, async {
        let mut guest = connect(&lab.guest, at(SERVER, 80)).await.expect("the gateway takes everything");
        assert_eq!(guest.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_eq!(gateway.counters().forbidden, 1);
        assert_eq!(lab.host.counters().tcp.opened, 0);
    });
}
