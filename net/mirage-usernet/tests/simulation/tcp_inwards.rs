//! Strangers come through a port of the host.

use futures_util::future::{join, join4};
use mirage_flow::{Direction, Read, Shutdown, Split, Write};
use mirage_stack::{TcpListener as _, TcpStream as _};
use mirage_tcpip::ErrorKind;
use mirage_usernet::Transport::Tcp;

use crate::common::{receive, s, send};
use crate::lab::{HOST, Lab, assert_nothing_is_left, at, connect, forwarding, listen, pair};

#[test]
fn a_page_is_fetched_from_the_guest() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (mut browser, mut guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        assert_eq!(guest.remote_addr().ip(), at("10.0.2.2", 0).ip(), "strangers come from the gateway");
        browser.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut request = [0; 18];
        guest.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"GET / HTTP/1.1\r\n\r\n");
        join(send(&mut guest, 1, 4_000), async { assert_eq!(receive(&mut browser, 1).await, 4_000) }).await;
        drop(browser);
        drop(guest);
        assert_nothing_is_left(&lab, &gateway, 0).await;
        assert_eq!(gateway.counters().joined, 1);
    });
}

#[test]
fn ten_megabytes_pass_both_ways_at_once() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (mut stranger, mut guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        let ((mut from_stranger, mut to_stranger), (mut from_guest, mut to_guest)) = (stranger.split(), guest.split());
        let len = 10_000_000;
        let (_, _, inwards, outwards) = join4(
            send(&mut to_stranger, 1, len),
            send(&mut to_guest, 2, len),
            receive(&mut from_guest, 1),
            receive(&mut from_stranger, 2),
        )
        .await;
        assert_eq!((inwards, outwards), (len, len));
        drop(stranger);
        drop(guest);
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn a_stranger_that_has_ended_can_still_be_answered() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (mut stranger, mut guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        send(&mut stranger, 1, 3_000).await;
        assert_eq!(receive(&mut guest, 1).await, 3_000);
        lab.sleep(s(30)).await;
        send(&mut guest, 2, 5_000).await;
        assert_eq!(receive(&mut stranger, 2).await, 5_000);
    });
}

#[test]
fn a_guest_that_has_ended_can_still_be_told_things() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (mut stranger, mut guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        send(&mut guest, 2, 5_000).await;
        assert_eq!(receive(&mut stranger, 2).await, 5_000);
        lab.sleep(s(30)).await;
        send(&mut stranger, 1, 3_000).await;
        assert_eq!(receive(&mut guest, 1).await, 3_000);
    });
}

#[test]
fn a_closed_port_of_the_guest_resets_the_stranger() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let mut stranger = connect(&lab.server, at(HOST, 8080)).await.expect("the host listens");
        assert_eq!(stranger.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_nothing_is_left(&lab, &gateway, 0).await;
        assert_eq!((gateway.counters().joined, gateway.counters().unjoined), (0, 1));
    });
}

#[test]
fn a_reset_of_the_guest_reaches_the_stranger() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (mut stranger, guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        guest.abort();
        assert_eq!(stranger.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn a_reset_of_the_stranger_reaches_the_guest() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (stranger, mut guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        stranger.abort();
        assert_eq!(guest.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn a_reset_after_a_half_close_passes_too() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        let (mut stranger, mut guest) = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        stranger.shutdown(Direction::Write).await.unwrap();
        assert_eq!(guest.read(&mut [0; 8]).await, Ok(0));
        guest.abort();
        assert_eq!(stranger.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        assert_nothing_is_left(&lab, &gateway, 0).await;
    });
}

#[test]
fn a_guest_that_does_not_answer_holds_a_stranger_for_ten_seconds() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80)]));
    lab.run(&gateway, async {
        // Once it answers, so that its hardware address is known.
        drop(pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await);
        lab.sleep(s(1)).await;
        lab.frozen.set(true);
        let start = lab.now();
        let mut stranger = connect(&lab.server, at(HOST, 8080)).await.expect("the host listens");
        assert_eq!(stranger.read(&mut [0; 8]).await, Err(ErrorKind::ConnectionReset));
        let waited = lab.now().since(start).as_secs();
        assert_eq!(waited, 10, "seconds");
        assert_eq!(gateway.counters().connections, 0);
    });
}

#[test]
fn forwards_lead_where_each_is_told_to() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80), (Tcp, 8443, 443)]));
    lab.run(&gateway, async {
        let (mut plain, mut secure) = (listen(&lab.guest, 80), listen(&lab.guest, 443));
        let one = connect(&lab.server, at(HOST, 8443)).await.unwrap();
        assert_eq!(secure.accept().await.unwrap().local_addr(), at("10.0.2.15", 443));
        let other = connect(&lab.server, at(HOST, 8080)).await.unwrap();
        assert_eq!(plain.accept().await.unwrap().local_addr(), at("10.0.2.15", 80));
        drop((one, other));
    });
}
