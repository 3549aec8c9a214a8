//! Datagrams (RFC 768).

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll, Waker};

use mirage_stack::ErrorKind;
use mirage_tiny::{Count, Received};

use crate::bench::Bench;
use crate::wire::{EVERYBODY, PEER, US, datagram, parse_ipv4, transport_sum};

const FROM: SocketAddrV4 = SocketAddrV4::new(PEER, 4_000);
const TO: SocketAddrV4 = SocketAddrV4::new(US, 53);

fn receive(bench: &mut Bench, id: mirage_tiny::SocketId, len: usize) -> Option<(usize, SocketAddrV4, Vec<u8>)> {
    let mut buffer = vec![0; len];
    match bench.host.poll_recv(id, &Context::from_waker(Waker::noop()), &mut buffer) {
        Poll::Ready(received) => {
            let Received { len, remote } = received.expect("nobody has complained");
            Some((len, remote, buffer[..len.min(buffer.len())].to_vec()))
        }
        Poll::Pending => None,
    }
}

#[test]
fn datagrams_come_and_go() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    bench.frame(&datagram(FROM, TO, b"question"));
    assert_eq!(receive(&mut bench, id, 100), Some((8, FROM, b"question".to_vec())));
    assert_eq!(receive(&mut bench, id, 100), None);
    let cx = Context::from_waker(Waker::noop());
    assert_eq!(bench.host.poll_send(id, &cx, &mut bench.wire, b"answer", FROM), Poll::Ready(Ok(())));
    let (_, frame) = bench.wire.sent.remove(0);
    let (source, destination, protocol, payload) = parse_ipv4(&frame).expect("an IPv4 packet");
    assert_eq!((source, destination, protocol), (US, PEER, 17));
    assert_eq!(transport_sum(US, PEER, 17, payload), 0);
    assert_eq!(payload[..6], [0, 53, 15, 160, 0, 14]);
    assert_eq!(payload[8..], *b"answer");
}

#[test]
fn a_datagram_for_nobody_is_told_so() {
    for bound in [false, true] {
        let mut bench = Bench::new();
        if bound {
            bench.host.bind(54).expect("the port is free");
        }
        let frame = datagram(FROM, TO, b"question");
        bench.frame(&frame);
        let (_, sent) = bench.wire.sent.remove(0);
        let (_, destination, protocol, message) = parse_ipv4(&sent).expect("an IPv4 packet");
        assert_eq!((destination, protocol), (PEER, 1));
        assert_eq!(message[..2], [3, 3]);
        assert!(mirage_checksum::verify(message));
        assert_eq!(message[8..], frame[14..42]);
        assert_eq!(bench.count(Count::Udp), 1);
    }
}

#[test]
fn a_datagram_to_all_is_heard_and_not_answered() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    for to in [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255)] {
        let mut frame = datagram(FROM, SocketAddrV4::new(to, 53), b"all");
        frame[..6].copy_from_slice(&EVERYBODY);
        bench.frame(&frame);
        assert_eq!(receive(&mut bench, id, 100), Some((3, FROM, b"all".to_vec())));
        let mut frame = datagram(FROM, SocketAddrV4::new(to, 54), b"all");
        frame[..6].copy_from_slice(&EVERYBODY);
        bench.frame(&frame);
    }
    assert_eq!(bench.count(Count::Udp), 2);
    assert_eq!(bench.wire.sent, []);
}

#[test]
fn what_has_no_room_is_counted() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    // Half of 1,000 bytes are its own, and each datagram takes 108.
    for number in 0..10 {
        bench.frame(&datagram(FROM, TO, &[number; 100]));
    }
    let kept = 1_000 / 108;
    let counted = bench.count(Count::UdpFull);
    assert_eq!(counted, 10 - kept);
    for number in 0..kept {
        assert_eq!(receive(&mut bench, id, 100), Some((100, FROM, vec![number as u8; 100])));
    }
    assert_eq!(receive(&mut bench, id, 100), None);
    bench.frame(&datagram(FROM, TO, &[0; 990]));
    bench.frame(&datagram(FROM, TO, &[0; 1_400]));
    assert_eq!(bench.count(Count::UdpFull), counted + 1);
    assert_eq!(receive(&mut bench, id, 10), Some((990, FROM, vec![0; 10])));
    bench.frame(&datagram(FROM, TO, b"next"));
    assert_eq!(receive(&mut bench, id, 10), Some((4, FROM, b"next".to_vec())));
}

#[test]
fn datagrams_go_round_their_buffer() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    for step in 0..1_000_usize {
        let payload: Vec<u8> = (0..step * 7 % 300).map(|at| (at + step) as u8).collect();
        bench.frame(&datagram(FROM, TO, &payload));
        assert_eq!(receive(&mut bench, id, 300), Some((payload.len(), FROM, payload)));
    }
}

#[test]
fn datagrams_that_make_no_sense_are_counted() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    let good = datagram(FROM, TO, b"question");
    let change = |at: usize, value: u8, checked: bool| {
        let mut frame = good.clone();
        frame[at] = value;
        if !checked {
            frame[40..42].fill(0);
        }
        frame
    };
    for (number, frame) in [change(45, b'x', true), change(39, 7, false), change(39, 17, false), change(38, 1, false)]
        .into_iter()
        .enumerate()
    {
        bench.frame(&frame);
        assert_eq!(bench.count(Count::Udp), number as u64 + 1);
    }
    assert_eq!(receive(&mut bench, id, 100), None);
    assert_eq!(bench.wire.sent, []);
    // No checksum is no fault, and what lies behind the datagram is not part of it.
    bench.frame(&change(39, 12, false));
    assert_eq!(receive(&mut bench, id, 100), Some((4, FROM, b"ques".to_vec())));
}

#[test]
fn a_socket_hears_its_peer_alone_when_told() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    bench.host.connect_socket(id, Some(FROM));
    bench.frame(&datagram(SocketAddrV4::new(PEER, 4_001), TO, b"stranger"));
    bench.frame(&datagram(FROM, TO, b"peer"));
    assert_eq!(receive(&mut bench, id, 100), Some((4, FROM, b"peer".to_vec())));
    assert_eq!(receive(&mut bench, id, 100), None);
}

#[test]
fn ports_and_sockets_are_bounded() {
    let mut bench = Bench::new();
    let first = bench.host.bind(0).expect("there is room");
    assert!(bench.host.socket_port(first) >= 49_152);
    assert_eq!(bench.host.bind(bench.host.socket_port(first)), Err(ErrorKind::AddressInUse));
    let second = bench.host.bind(0).expect("there is room");
    assert_ne!(bench.host.socket_port(first), bench.host.socket_port(second));
    assert_eq!(bench.host.bind(0), Err(ErrorKind::OutOfResources));
    bench.host.close_socket(second);
    bench.host.bind(53).expect("there is room again");
}

#[test]
fn what_waits_for_a_device_is_not_lost() {
    let mut bench = Bench::new();
    let id = bench.host.bind(53).expect("the port is free");
    bench.wire.full = true;
    let cx = Context::from_waker(Waker::noop());
    assert_eq!(bench.host.poll_send(id, &cx, &mut bench.wire, b"answer", FROM), Poll::Pending);
    bench.wire.full = false;
    assert_eq!(bench.host.poll_send(id, &cx, &mut bench.wire, b"answer", FROM), Poll::Ready(Ok(())));
    assert_eq!(
        bench.host.poll_send(id, &cx, &mut bench.wire, &[0; 1_473], FROM),
        Poll::Ready(Err(ErrorKind::MessageTooLong))
    );
    assert_eq!(bench.wire.sent.len(), 1);
}
