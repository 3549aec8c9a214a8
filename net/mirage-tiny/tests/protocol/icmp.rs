//! Pings, and errors about what we have sent (RFC 792, RFC 1122 §3.2.2, RFC 5927).

use alloc::sync::Arc;
use alloc::task::Wake;
use core::net::{Ipv4Addr, SocketAddrV4};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use mirage_checksum::{checksum, verify};
use mirage_stack::{ErrorKind, TcpOptions};
use mirage_tiny::{Count, Received, SocketId};

use crate::bench::{Bench, s};
use crate::wire::{EVERYBODY, PEER, US, echo, ipv4, parse_ipv4, resum};

/// The only frame that was sent.
fn only(bench: &mut Bench) -> Vec<u8> {
    let mut sent = core::mem::take(&mut bench.wire.sent);
    assert_eq!(sent.len(), 1);
    sent.remove(0).1
}

#[test]
fn pings_of_all_sizes_are_answered() {
    for size in [0, 1, 56, 1_472] {
        let mut bench = Bench::new();
        let payload: Vec<u8> = (0..size).map(|at| at as u8).collect();
        bench.frame(&ipv4(PEER, US, 1, &echo(&payload)));
        let frame = only(&mut bench);
        let (source, destination, protocol, message) = parse_ipv4(&frame).expect("an IPv4 packet");
        assert_eq!((source, destination, protocol), (US, PEER, 1));
        assert_eq!(message[..2], [0, 0]);
        assert_eq!(message[4..8], [0x12, 0x34, 0, 1]);
        assert_eq!(message[8..], payload);
        assert!(verify(message));
    }
}

#[test]
fn a_ping_with_options_and_padding_is_answered() {
    let mut bench = Bench::new();
    let ping = ipv4(PEER, US, 1, &echo(b"ping"));
    let mut frame = [&ping[..34], &[1, 1, 1, 0], &ping[34..], &[0xee; 20]].concat();
    frame[14] = 0x46;
    frame[17] += 4;
    resum(&mut frame);
    bench.frame(&frame);
    let frame = only(&mut bench);
    assert_eq!(parse_ipv4(&frame).expect("an IPv4 packet").3[8..], *b"ping");
}

#[test]
fn pings_that_are_wrong_or_for_all_are_not_answered() {
    let mut bench = Bench::new();
    let mut damaged = echo(b"ping");
    damaged[9] ^= 1;
    bench.frame(&ipv4(PEER, US, 1, &damaged));
    bench.frame(&ipv4(PEER, US, 1, &echo(b"")[..7]));
    assert_eq!(bench.count(Count::Icmp), 2);
    for to in [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255), US] {
        let mut frame = ipv4(PEER, to, 1, &echo(b"ping"));
        frame[..6].copy_from_slice(&EVERYBODY);
        bench.frame(&frame);
    }
    assert_eq!(bench.wire.sent, []);
}

/// An error about a segment of ours from `at` on, with the type and code and the MTU of `head`.
fn error(bench: &Bench, head: [u8; 2], mtu: u16, at: u32) -> Vec<u8> {
    let quoted =
        [&bench.port.to_be_bytes()[..], &bench.remote.port().to_be_bytes(), &bench.isn.wrapping_add(at).to_be_bytes()]
            .concat();
    error_about(&ipv4(US, *bench.remote.ip(), 6, &quoted), head, mtu)
}

/// An error about a frame of ours, with the type and code and the MTU of `head`.
fn error_about(frame: &[u8], head: [u8; 2], mtu: u16) -> Vec<u8> {
    let mut message = [&head[..], &[0, 0, 0, 0], &mtu.to_be_bytes(), &frame[14..]].concat();
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv4(Ipv4Addr::new(10, 0, 0, 254), US, 1, &message)
}

#[test]
fn a_smaller_path_is_learnt() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 2_000);
    bench.says(&["A 1+1000 a1 w8000", "A 1001+1000 a1 w8000"]);
    bench.frame(&error(&bench, [3, 4], 640, 1));
    bench.says(&["A 1+600 a1 w8000", "A 601+600 a1 w8000", "A 1201+600 a1 w8000", "A 1801+200 a1 w8000"]);
    // A larger one is nothing, and the same again is nothing.
    bench.frame(&error(&bench, [3, 4], 1_000, 1));
    bench.frame(&error(&bench, [3, 4], 640, 1));
    bench.says(&[]);
    bench.tell("A 1+0 a2001 w8000");
    bench.write(id, 2_001, 600);
    bench.says(&["A 2001+600 a1 w8000"]);
}

#[test]
fn no_path_is_that_small() {
    for mtu in [0, 68, 575] {
        let (mut bench, id) = Bench::established();
        bench.write(id, 1, 1_000);
        bench.said();
        bench.frame(&error(&bench, [3, 4], mtu, 1));
        bench.says(&["A 1+536 a1 w8000", "A 537+464 a1 w8000"]);
    }
}

#[test]
fn an_error_about_what_is_not_in_flight_is_nothing() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 2_000);
    bench.tell("A 1+0 a1001 w8000");
    bench.said();
    for at in [0, 1, 1_000, 2_001, 3_000] {
        bench.frame(&error(&bench, [3, 4], 640, at));
    }
    bench.says(&[]);
    assert_eq!(bench.count(Count::Icmp), 5);
}

#[test]
fn an_error_about_a_stranger_is_nothing() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 1_000);
    bench.said();
    bench.port = 81;
    let frame = error(&bench, [3, 4], 640, 1);
    bench.frame(&frame);
    bench.port = 80;
    // Something of which less than eight bytes are quoted, of another protocol, or that is not from us.
    let good = error(&bench, [3, 4], 640, 1);
    for change in [0, 1, 2] {
        let mut message = good[34..].to_vec();
        match change {
            0 => message.truncate(8 + 27),
            1 => message[8 + 9] = 17,
            _ => message[8 + 15] ^= 2,
        }
        message[2..4].fill(0);
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        bench.frame(&ipv4(PEER, US, 1, &message));
    }
    bench.says(&[]);
    assert_eq!(bench.count(Count::Icmp), 4);
}

#[test]
fn nobody_there_ends_an_attempt() {
    for (code, error_kind) in
        [(3, ErrorKind::ConnectionRefused), (2, ErrorKind::ConnectionRefused), (1, ErrorKind::HostUnreachable)]
    {
        let mut bench = Bench::new();
        let id = bench.connect(&TcpOptions::default());
        bench.said();
        bench.frame(&error(&bench, [3, code], 0, 7));
        assert_eq!(bench.connected(id), Poll::Pending, "not the SYN");
        bench.frame(&error(&bench, [3, code], 0, 0));
        assert_eq!(bench.connected(id), Poll::Ready(Err(error_kind)));
        bench.says(&[]);
    }
}

/// RFC 5927 §5.2: "hard errors" are soft ones for a connection that is established.
#[test]
fn nobody_there_does_not_end_a_connection() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 1_000);
    bench.said();
    for code in 0..16 {
        if code != 4 {
            bench.frame(&error(&bench, [3, code], 0, 1));
        }
    }
    assert_eq!(bench.read(id, 1), Poll::Pending);
    bench.tell("A 1+0 a1001 w8000");
    bench.pass(s(1));
    bench.says(&[]);
}

/// What a socket hears.
fn receive(bench: &mut Bench, id: SocketId) -> Poll<Result<Received, ErrorKind>> {
    bench.host.poll_recv(id, &Context::from_waker(Waker::noop()), &mut [0; 100])
}

/// Sends a datagram; gives its frame.
fn send(bench: &mut Bench, id: SocketId, to: SocketAddrV4) -> Vec<u8> {
    let sent = bench.host.poll_send(id, &Context::from_waker(Waker::noop()), &mut bench.wire, b"question", to);
    assert_eq!(sent, Poll::Ready(Ok(())));
    only(bench)
}

const DOOR: SocketAddrV4 = SocketAddrV4::new(PEER, 53);

#[test]
fn a_socket_hears_once_what_is_wrong_with_its_peer() {
    for (code, error) in [
        (1, ErrorKind::HostUnreachable),
        (2, ErrorKind::ConnectionRefused),
        (3, ErrorKind::ConnectionRefused),
        (4, ErrorKind::MessageTooLong),
    ] {
        let mut bench = Bench::new();
        let id = bench.host.bind(0).expect("a port is free");
        bench.host.connect_socket(id, Some(DOOR));
        let question = send(&mut bench, id, DOOR);
        let task = Arc::new(Task::default());
        let waker = Waker::from(task.clone());
        assert!(bench.host.poll_recv(id, &Context::from_waker(&waker), &mut [0; 100]).is_pending());
        bench.frame(&error_about(&question[..42], [3, code], 0));
        assert!(task.0.load(Ordering::Relaxed), "who waits is woken");
        assert_eq!(receive(&mut bench, id), Poll::Ready(Err(error)));
        assert_eq!(receive(&mut bench, id), Poll::Pending);
        // Who sends hears it, too.
        bench.frame(&error_about(&question, [3, code], 0));
        let cx = Context::from_waker(Waker::noop());
        assert_eq!(bench.host.poll_send(id, &cx, &mut bench.wire, b"again", DOOR), Poll::Ready(Err(error)));
        send(&mut bench, id, DOOR);
        assert_eq!(bench.count(Count::Icmp), 0);
    }
}

/// RFC 5927 §4.1: who does not see the packets has to guess both ports.
#[test]
fn a_socket_hears_of_no_other_peer() {
    let mut bench = Bench::new();
    let [one, other] = [1, 2].map(|_| bench.host.bind(0).expect("a port is free"));
    bench.host.connect_socket(one, Some(DOOR));
    let good = send(&mut bench, one, DOOR);
    let stranger = send(&mut bench, one, SocketAddrV4::new(PEER, 54));
    let unconnected = send(&mut bench, other, DOOR);
    let mut port_0 = good.clone();
    port_0[34..36].fill(0);
    let frames = [&stranger[..], &unconnected, &port_0, &good[..41]];
    for frame in frames {
        bench.frame(&error_about(frame, [3, 3], 0));
    }
    assert_eq!(bench.count(Count::Icmp), 4);
    // What was wrong with the former peer is nothing to the next, and nobody hears for whom has gone.
    bench.frame(&error_about(&good, [3, 3], 0));
    bench.host.connect_socket(one, Some(DOOR));
    assert_eq!([receive(&mut bench, one), receive(&mut bench, other)], [Poll::Pending; 2]);
    bench.host.close_socket(one);
    bench.frame(&error_about(&good, [3, 3], 0));
    assert_eq!(bench.count(Count::Icmp), 5);
}

#[derive(Default)]
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
