//! What becomes of datagrams that are written.

mod common;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::{Context, Poll, Waker};

use common::*;
use mirage_net::testing::Wakes;
use mirage_net::{Capabilities, ChecksumOffload, SendError};
use mirage_protocols::Protocol;
use mirage_protocols::testing::FakeIp;
use mirage_udp::{Bound, Config, Error, Local, PortChoice, SocketId, Source, Udp};

fn sent(ip: &mut FakeIp) -> (SocketAddr, Vec<u8>) {
    let sent = ip.sent.pop_front().expect("a packet");
    assert_eq!(sent.packet.protocol, Protocol::UDP);
    let port = u16::from_be_bytes([sent.bytes[2], sent.bytes[3]]);
    (at(sent.packet.destination, port), sent.bytes[8..].to_vec())
}

#[test]
fn a_datagram_leaves_as_it_was_written() {
    let (mut udp, mut ip) = (udp(), ip());
    let id = udp.bind(exactly(53)).unwrap();
    for len in [0, 1, 255, 256, 257, 1472, 65_507] {
        let payload: Vec<_> = (0..len).map(|n| n as u8).collect();
        assert_eq!(write(&mut udp, id, &payload, at(PEER, 5000)), Poll::Ready(Ok(())));
        assert_eq!(udp.poll_transmit(NOW, &mut ip, 10), Ok(false));
        let packet = ip.sent.pop_front().unwrap();
        assert_eq!((packet.packet.source, packet.packet.destination), (US, PEER));
        assert_eq!(packet.bytes, datagram(at(US, 53), at(PEER, 5000), &payload), "{len} bytes");
    }
    assert_eq!((udp.stats().blocks, udp.stats().datagrams, udp.stats().sent), (0, 0, 7));
}

/// Writes a datagram where there is a layer below.
fn write_over(
    udp: &mut Udp<'_>,
    ip: &mut FakeIp,
    id: SocketId,
    payload: &[u8],
    remote: SocketAddr,
) -> Poll<Result<(), Error>> {
    udp.poll_send_over(NOW, id, &mut Context::from_waker(Waker::noop()), payload, Source::Own, remote, Some(ip))
}

#[test]
fn a_datagram_before_which_nothing_waits_leaves_at_once() {
    let (mut udp, mut ip) = (udp(), ip());
    let id = udp.bind(exactly(53)).unwrap();
    for len in [0, 1, 255, 256, 257, 1472, 65_507] {
        let payload: Vec<_> = (0..len).map(|n| n as u8).collect();
        assert_eq!(write_over(&mut udp, &mut ip, id, &payload, at(PEER, 5000)), Poll::Ready(Ok(())));
        assert_eq!(ip.sent.pop_front().unwrap().bytes, datagram(at(US, 53), at(PEER, 5000), &payload), "{len} bytes");
    }
    assert_eq!((udp.stats().blocks, udp.stats().sent), (0, 7));
    assert!(!udp.wants_transmit());
    let too_long = write_over(&mut udp, &mut ip, id, &[0; 65_508], at(PEER, 5000));
    assert_eq!(too_long, Poll::Ready(Err(Error::MessageTooLong)));
}

#[test]
fn what_finds_no_buffer_at_once_is_queued_and_nobody_overtakes_it() {
    let (mut udp, mut ip) = (udp(), ip());
    let (a, b) = (udp.bind(exactly(1)).unwrap(), udp.bind(exactly(2)).unwrap());
    ip.capacity = 0;
    assert!(write_over(&mut udp, &mut ip, a, b"a", at(PEER, 1)).is_ready());
    ip.capacity = 10;
    assert!(write_over(&mut udp, &mut ip, a, b"b", at(PEER, 1)).is_ready());
    assert!(write_over(&mut udp, &mut ip, b, b"c", at(PEER, 1)).is_ready());
    assert!(ip.sent.is_empty());
    assert_eq!(udp.poll_transmit(NOW, &mut ip, 10), Ok(false));
    let mut of_a: Vec<_> = (0..3).map(|_| sent(&mut ip).1).collect();
    of_a.retain(|payload| payload != b"c");
    assert_eq!(of_a, [b"a", b"b"]);
}

#[test]
fn a_connected_socket_is_told_of_what_cannot_leave_at_once() {
    let (mut udp, mut ip) = (udp(), ip());
    ip.unreachable.push((OTHER, SendError::Unresolved));
    let (talker, connected) = (udp.bind(exactly(1)).unwrap(), udp.bind(exactly(2)).unwrap());
    udp.connect(connected, Some(at(OTHER, 1))).unwrap();
    for id in [talker, connected] {
        assert_eq!(write_over(&mut udp, &mut ip, id, b"x", at(OTHER, 1)), Poll::Ready(Ok(())));
    }
    assert_eq!((udp.stats().sent, udp.stats().unsent), (0, 2));
    assert!(read(&mut udp, talker).is_pending(), "a socket that talks to many is not told");
    assert!(matches!(read(&mut udp, connected), Poll::Ready(Err(Error::HostUnreachable))));
}

#[test]
fn a_checksum_that_comes_out_as_zero_leaves_as_ones() {
    let (mut udp, mut ip) = (udp(), ip());
    let id = udp.bind(exactly(53)).unwrap();
    // The payload is the checksum of the empty rest, so that all together sums to zero's complement.
    let rest = datagram(at(US, 53), at(PEER, 5000), &[0, 0]);
    let payload = [rest[6], rest[7]];
    assert_eq!(write(&mut udp, id, &payload, at(PEER, 5000)), Poll::Ready(Ok(())));
    udp.poll_transmit(NOW, &mut ip, 1).unwrap();
    assert_eq!(ip.sent.pop_front().unwrap().bytes[6..8], [0xff, 0xff]);
    udp.send_now(NOW, id, Source::Own, at(PEER, 5000), 2, &mut ip, |out| out.put(&payload)).unwrap();
    assert_eq!(ip.sent.pop_front().unwrap().bytes[6..8], [0xff, 0xff]);
}

#[test]
fn send_now_writes_straight_into_the_device() {
    let (mut udp, mut ip) = (udp(), ip());
    let id = udp.bind(exactly(53)).unwrap();
    udp.send_now(NOW, id, Source::Own, at(PEER, 5000), 5, &mut ip, |out| out.put(b"hello")).unwrap();
    assert_eq!(ip.sent.pop_front().unwrap().bytes, datagram(at(US, 53), at(PEER, 5000), b"hello"));
    ip.capacity = 0;
    let busy = udp.send_now(NOW, id, Source::Own, at(PEER, 5000), 5, &mut ip, |_| panic!("no buffer"));
    assert_eq!(busy, Err(Error::Busy));
}

#[test]
fn send_now_refuses_another_length_than_was_said() {
    let (mut udp, mut ip) = (udp(), ip());
    let id = udp.bind(exactly(53)).unwrap();
    for written in [&b"four"[..], b"sixsix"] {
        let sent = udp.send_now(NOW, id, Source::Own, at(PEER, 5000), 5, &mut ip, |out| out.put(written));
        assert_eq!(sent, Err(Error::MessageTooLong));
    }
    assert!(ip.sent.is_empty());
}

#[test]
fn the_device_completes_the_checksum_where_it_can() {
    let (mut udp, mut ip) = (udp(), ip());
    ip.capabilities = Capabilities { checksum: ChecksumOffload::UDP_V4, ..Capabilities::default() };
    let id = udp.bind(exactly(53)).unwrap();
    assert!(write(&mut udp, id, b"hello", at(PEER, 5000)).is_ready());
    udp.poll_transmit(NOW, &mut ip, 1).unwrap();
    let packet = ip.sent.pop_front().unwrap();
    let partial = packet.packet.checksum.expect("left for the device");
    assert_eq!((partial.start, partial.offset), (0, 6));
    // What the device does: sum everything, with the pseudo-header's sum in the field.
    let mut bytes = packet.bytes;
    let sum = mirage_checksum::checksum(&bytes);
    bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(bytes, datagram(at(US, 53), at(PEER, 5000), b"hello"));
    // A datagram that will be cut has no single place for it.
    assert!(write(&mut udp, id, &[7; 3000], at(PEER, 5000)).is_ready());
    udp.poll_transmit(NOW, &mut ip, 1).unwrap();
    let packet = ip.sent.pop_front().unwrap();
    assert_eq!(packet.packet.checksum, None);
    assert_eq!(packet.bytes, datagram(at(US, 53), at(PEER, 5000), &[7; 3000]));
}

#[test]
fn a_blocked_peer_does_not_stop_another() {
    for error in [SendError::Unresolved, SendError::NoRoute, SendError::TooLong, SendError::WouldFragment { mtu: 576 }]
    {
        let (mut udp, mut ip) = (udp(), ip());
        ip.unreachable.push((OTHER, error));
        let id = udp.bind(exactly(53)).unwrap();
        for n in 0..10 {
            assert!(write(&mut udp, id, &[n], at(OTHER, 1)).is_ready());
            assert!(write(&mut udp, id, &[n], at(PEER, 1)).is_ready());
        }
        assert_eq!(udp.poll_transmit(NOW, &mut ip, 100), Ok(false));
        for n in 0..10 {
            assert_eq!(sent(&mut ip), (at(PEER, 1), vec![n]));
        }
        assert_eq!((udp.stats().sent, udp.stats().unsent), (10, 10));
        assert!(read(&mut udp, id).is_pending(), "a socket that talks to many is not told");
    }
}

#[test]
fn a_connected_socket_is_told_that_its_peer_cannot_be_reached() {
    let (mut udp, mut ip) = (udp(), ip());
    ip.unreachable.push((OTHER, SendError::Unresolved));
    let id = udp.bind(exactly(53)).unwrap();
    udp.connect(id, Some(at(OTHER, 1))).unwrap();
    let wakes = Wakes::new();
    assert!(udp.poll_recv(id, &mut Context::from_waker(wakes.waker()), &mut []).is_pending());
    assert!(write(&mut udp, id, b"x", at(OTHER, 1)).is_ready());
    udp.poll_transmit(NOW, &mut ip, 1).unwrap();
    assert_eq!(wakes.count(), 1);
    assert!(matches!(read(&mut udp, id), Poll::Ready(Err(Error::HostUnreachable))));
    assert!(read(&mut udp, id).is_pending());
}

#[test]
fn what_finds_no_buffer_goes_first_next_time() {
    let (mut udp, mut ip) = (udp(), ip());
    let (a, b) = (udp.bind(exactly(1)).unwrap(), udp.bind(exactly(2)).unwrap());
    assert!(write(&mut udp, a, b"a", at(PEER, 1)).is_ready());
    assert!(write(&mut udp, b, b"b", at(PEER, 1)).is_ready());
    ip.capacity = 0;
    for _ in 0..3 {
        assert_eq!(udp.poll_transmit(NOW, &mut ip, 10), Err(SendError::Full));
    }
    ip.capacity = 10;
    assert_eq!(udp.poll_transmit(NOW, &mut ip, 10), Ok(false));
    assert_eq!((sent(&mut ip).1, sent(&mut ip).1), (b"a".to_vec(), b"b".to_vec()));
}

#[test]
fn sockets_take_turns_and_the_budget_is_kept() {
    let (mut udp, mut ip) = (udp(), ip());
    let ids: Vec<SocketId> = (1..4).map(|port| udp.bind(exactly(port)).unwrap()).collect();
    for n in 0..2 {
        for id in &ids {
            assert!(write(&mut udp, *id, &[n], at(PEER, 9)).is_ready());
        }
    }
    // The first alone has a third.
    assert!(write(&mut udp, ids[0], &[2], at(PEER, 9)).is_ready());
    let mut sources = Vec::new();
    let mut more = true;
    while more {
        more = udp.poll_transmit(NOW, &mut ip, 2).unwrap();
        assert!(ip.sent.len() <= 2);
        sources.extend(ip.sent.drain(..).map(|sent| sent.bytes[1]));
    }
    assert_eq!(sources, [1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_full_queue_waits_and_is_woken() {
    let send = Bound { bytes: 1000, datagrams: 2 };
    let mut udp = udp_of(Sizes { config: Config { send, ..Config::default() }, ..Sizes::default() });
    let mut ip = ip();
    let id = udp.bind(exactly(53)).unwrap();
    let wakes = Wakes::new();
    let poll = |udp: &mut Udp<'_>| {
        udp.poll_send(id, &mut Context::from_waker(wakes.waker()), &[0; 400], Source::Own, at(PEER, 1))
    };
    assert!(poll(&mut udp).is_ready() && poll(&mut udp).is_ready());
    assert!(poll(&mut udp).is_pending());
    udp.poll_transmit(NOW, &mut ip, 1).unwrap();
    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut udp).is_ready());
}

#[test]
fn an_empty_pool_waits_for_whoever_gives_back() {
    let bound = Bound { bytes: 65_536, datagrams: 64 };
    let config = Config { receive: bound, send: bound, ..Config::default() };
    let mut udp = udp_of(Sizes { sockets: 4, blocks: 8, config });
    let (reader, writer) = (udp.bind(exactly(1)).unwrap(), udp.bind(exactly(2)).unwrap());
    arrive(&mut udp, at(PEER, 1), at(US, 1), &[0; 4 * 256]).unwrap();
    let wakes = Wakes::new();
    let poll = |udp: &mut Udp<'_>| {
        udp.poll_send(writer, &mut Context::from_waker(wakes.waker()), &[0; 5 * 256], Source::Own, at(PEER, 1))
    };
    assert!(poll(&mut udp).is_pending());
    assert!(read(&mut udp, reader).is_ready());
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(&mut udp), Poll::Ready(Ok(())));
}

#[test]
fn what_can_never_be_held_is_refused_at_once() {
    let mut udp = udp_of(Sizes { blocks: 4, ..Sizes::default() });
    let id = udp.bind(exactly(1)).unwrap();
    assert_eq!(write(&mut udp, id, &[0; 4 * 256 + 1], at(PEER, 1)), Poll::Ready(Err(Error::MessageTooLong)));
    assert_eq!(write(&mut udp, id, &[0; 4 * 256], at(PEER, 1)), Poll::Ready(Ok(())));
    let mut udp = common::udp();
    let id = udp.bind(exactly(1)).unwrap();
    assert_eq!(write(&mut udp, id, &[0; 65_508], at(PEER, 1)), Poll::Ready(Err(Error::MessageTooLong)));
}

#[test]
fn what_was_written_before_the_end_still_leaves() {
    let (mut udp, mut ip) = (udp(), ip());
    let id = udp.bind(exactly(53)).unwrap();
    for n in 0..3 {
        assert!(write(&mut udp, id, &[n], at(PEER, 1)).is_ready());
    }
    udp.close(id).unwrap();
    let next = udp.bind(exactly(53)).expect("the port is free at once");
    assert_eq!(udp.stats().sockets, 2);
    assert_eq!(udp.poll_transmit(NOW, &mut ip, 10), Ok(false));
    assert_eq!(ip.sent.len(), 3);
    assert_eq!((udp.stats().sockets, udp.stats().blocks), (1, 0));
    udp.close(next).unwrap();
    assert_eq!(udp.stats().sockets, 0);
}

#[test]
fn where_a_datagram_may_claim_to_come_from() {
    let (mut udp, mut ip) = (udp(), ip());
    let cx = &mut Context::from_waker(Waker::noop());
    let to = at(PEER, 1);
    let wide = udp.bind(exactly(1)).unwrap();
    let narrow = udp.bind(Local { address: Some(US), ..exactly(2) }).unwrap();
    let any = udp.bind(Local { address: None, port: PortChoice::Any }).unwrap();
    for (id, source, expected) in [
        (wide, Source::Own, Ok(())),
        (wide, Source::Address(OTHER), Ok(())),
        (wide, Source::End(at(OTHER, 1)), Ok(())),
        (wide, Source::End(at(OTHER, 9)), Err(Error::AddressNotAvailable)),
        (narrow, Source::Own, Ok(())),
        (narrow, Source::Address(OTHER), Err(Error::AddressNotAvailable)),
        (any, Source::Own, Err(Error::AddressNotAvailable)),
        (any, Source::End(at(OTHER, 77)), Ok(())),
    ] {
        assert_eq!(udp.poll_send(id, cx, b"", source, to), Poll::Ready(expected), "{source:?}");
    }
    udp.poll_transmit(NOW, &mut ip, 10).unwrap();
    let mut ends: Vec<_> =
        ip.sent.iter().map(|sent| at(sent.packet.source, u16::from_be_bytes([sent.bytes[0], sent.bytes[1]]))).collect();
    ends.sort();
    assert_eq!(ends, [at(US, 1), at(US, 2), at(OTHER, 1), at(OTHER, 1), at(OTHER, 77)]);
    let nobody = at(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 1);
    assert_eq!(write(&mut udp, wide, b"", nobody), Poll::Ready(Err(Error::AddressNotAvailable)));
    assert_eq!(write(&mut udp, wide, b"", at(PEER, 0)), Poll::Ready(Err(Error::AddressNotAvailable)));
    let ipv6 = at("fd00::1".parse().unwrap(), 1);
    assert_eq!(write(&mut udp, narrow, b"", ipv6), Poll::Ready(Err(Error::Unsupported)));
    assert_eq!(udp.connect(narrow, Some(ipv6)), Err(Error::Unsupported));
}
