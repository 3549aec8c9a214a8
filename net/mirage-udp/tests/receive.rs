//! What becomes of datagrams that arrive.

mod common;

use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use common::*;
use mirage_net::ReceivedChecksum;
use mirage_net::testing::Wakes;
use mirage_protocols::{Cast, IcmpError, IcmpErrorKind, Protocol, Received};
use mirage_udp::{Bound, Config, Datagram, Discard, Error, Local, PortChoice};
use proptest::prelude::*;

#[test]
fn a_datagram_reaches_its_socket_whole() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    for len in [0, 1, 255, 256, 257, 512, 1472, 65_507] {
        let payload: Vec<_> = (0..len).map(|n| n as u8).collect();
        arrive(&mut udp, at(PEER, 5000), at(US, 53), &payload).unwrap();
        let Poll::Ready(Ok((datagram, bytes))) = read(&mut udp, id) else { panic!("nothing came") };
        assert_eq!(datagram, Datagram { len, remote: at(PEER, 5000), local: at(US, 53) });
        assert_eq!(bytes, payload);
    }
    assert_eq!((udp.stats().blocks, udp.stats().datagrams), (0, 0), "everything was given back");
}

#[test]
fn datagrams_come_in_order_and_apart() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    for payload in [&b"one"[..], b"", b"three"] {
        arrive(&mut udp, at(PEER, 5000), at(US, 53), payload).unwrap();
    }
    for payload in [&b"one"[..], b"", b"three"] {
        assert!(matches!(read(&mut udp, id), Poll::Ready(Ok((_, bytes))) if bytes == payload));
    }
    assert!(read(&mut udp, id).is_pending());
}

#[test]
fn what_does_not_fit_the_reader_is_cut_off() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let payload: Vec<_> = (0..600).map(|n| n as u8).collect();
    for space in [0, 4, 300, 599] {
        arrive(&mut udp, at(PEER, 5000), at(US, 53), &payload).unwrap();
        let mut buffer = vec![0xee; space];
        let read = udp.poll_recv(id, &mut Context::from_waker(Waker::noop()), &mut buffer);
        assert!(matches!(read, Poll::Ready(Ok(Datagram { len: 600, .. }))));
        assert_eq!(buffer, payload[..space]);
    }
    assert!(read(&mut udp, id).is_pending());
}

fn refused(bytes: &[u8]) -> Discard {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let reason = udp.input(NOW, &Received::new(PEER, US, bytes)).unwrap_err();
    assert!(read(&mut udp, id).is_pending());
    assert_eq!((udp.discards().of(reason), udp.discards().total()), (1, 1));
    assert_eq!((udp.stats().blocks, udp.stats().datagrams), (0, 0));
    reason
}

#[test]
fn a_datagram_shorter_than_its_header_is_dropped() {
    let bytes = datagram(at(PEER, 5000), at(US, 53), b"");
    for len in 0..8 {
        assert_eq!(refused(&bytes[..len]), Discard::TooShort);
    }
}

#[test]
fn a_length_field_that_lies_is_found_out() {
    for len in [0_u16, 7, 14, 0xffff] {
        let mut bytes = datagram(at(PEER, 5000), at(US, 53), b"hello");
        bytes[4..6].copy_from_slice(&len.to_be_bytes());
        bytes[6..8].fill(0);
        assert_eq!(refused(&bytes), Discard::BadLength, "length {len}");
    }
}

#[test]
fn what_lies_behind_the_datagram_is_not_part_of_it() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let mut bytes = datagram(at(PEER, 5000), at(US, 53), b"hello");
    bytes.extend(b"garbage");
    udp.input(NOW, &Received::new(PEER, US, &bytes)).unwrap();
    assert!(matches!(read(&mut udp, id), Poll::Ready(Ok((_, bytes))) if bytes == b"hello"));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let good = datagram(at(PEER, 5000), at(US, 53), b"hello");
    // Bits of the destination port and of the length lead elsewhere.
    for bit in (0..16).chain(48..8 * good.len()) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 0x80 >> (bit % 8);
        assert_eq!(refused(&bytes), Discard::BadChecksum, "bit {bit}");
    }
}

#[test]
fn a_checksum_of_zero_means_none() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let mut bytes = datagram(at(PEER, 5000), at(US, 53), b"hello");
    bytes[6..8].fill(0);
    udp.input(NOW, &Received::new(PEER, US, &bytes)).unwrap();
    assert!(read(&mut udp, id).is_ready());
}

#[test]
fn over_ipv6_there_must_be_a_checksum() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let (peer, us): (IpAddr, IpAddr) = ("fd00::2".parse().unwrap(), "fd00::1".parse().unwrap());
    let mut bytes = datagram(at(peer, 5000), at(us, 53), b"hello");
    udp.input(NOW, &Received::new(peer, us, &bytes)).unwrap();
    assert!(read(&mut udp, id).is_ready());
    bytes[6..8].fill(0);
    assert_eq!(udp.input(NOW, &Received::new(peer, us, &bytes)), Err(Discard::BadChecksum));
}

#[test]
fn a_checksum_that_the_device_vouches_for_is_not_verified() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let mut bytes = datagram(at(PEER, 5000), at(US, 53), b"hello");
    bytes[6] ^= 0x55;
    for checksum in [ReceivedChecksum::Verified, ReceivedChecksum::Partial] {
        udp.input(NOW, &Received { checksum, ..Received::new(PEER, US, &bytes) }).unwrap();
        assert!(read(&mut udp, id).is_ready());
    }
}

#[test]
fn port_zero_and_mirrors_are_dropped() {
    assert_eq!(refused(&datagram(at(PEER, 5000), at(US, 0), b"")), Discard::BadPort);
    let mut udp = udp();
    udp.bind(exactly(53)).unwrap();
    assert_eq!(arrive(&mut udp, at(US, 53), at(US, 53), b"land"), Err(Discard::Land));
}

#[test]
fn a_merged_datagram_is_dropped() {
    let mut udp = udp();
    udp.bind(exactly(53)).unwrap();
    let bytes = datagram(at(PEER, 5000), at(US, 53), b"hello");
    let merged = Received { segment_size: NonZeroU16::new(2), ..Received::new(PEER, US, &bytes) };
    assert_eq!(udp.input(NOW, &merged), Err(Discard::Merged));
}

#[test]
fn nobody_on_the_port_is_said_only_of_whole_datagrams() {
    let bytes = datagram(at(PEER, 5000), at(US, 54), b"hello");
    assert_eq!(refused(&bytes), Discard::NoSocket);
    let mut bytes = bytes;
    bytes[9] ^= 1;
    assert_eq!(refused(&bytes), Discard::BadChecksum);
}

#[test]
fn the_most_specific_socket_gets_the_datagram() {
    let mut udp = udp();
    let on = |address, port| Local { address, ..exactly(port) };
    let any = udp.bind(Local { address: None, port: PortChoice::Any }).unwrap();
    let wildcard = udp.bind(on(None, 53)).unwrap();
    let bound = udp.bind(on(Some(US), 53)).unwrap();
    let strange = udp.bind(on(Some(OTHER), 53)).unwrap();
    let who = |udp: &mut mirage_udp::Udp<'_>, source, destination| {
        arrive(udp, source, destination, b"").unwrap();
        let ids = [any, wildcard, bound, strange];
        let got: Vec<_> = ids.into_iter().filter(|id| matches!(read(udp, *id), Poll::Ready(Ok(_)))).collect();
        assert_eq!(got.len(), 1);
        got[0]
    };
    assert_eq!(who(&mut udp, at(PEER, 5000), at(US, 53)), bound);
    assert_eq!(who(&mut udp, at(PEER, 5000), at(OTHER, 53)), strange);
    assert_eq!(who(&mut udp, at(PEER, 5000), at(PEER, 53)), wildcard);
    assert_eq!(who(&mut udp, at(PEER, 5000), at(US, 54)), any);
    // Connected comes before bound, and hears nobody else.
    udp.connect(wildcard, Some(at(PEER, 5000))).unwrap();
    assert_eq!(who(&mut udp, at(PEER, 5000), at(US, 53)), wildcard);
    assert_eq!(who(&mut udp, at(PEER, 5001), at(US, 53)), bound);
    assert_eq!(who(&mut udp, at(PEER, 5001), at(PEER, 53)), any);
    udp.connect(bound, Some(at(PEER, 5000))).unwrap();
    assert_eq!(who(&mut udp, at(PEER, 5000), at(US, 53)), bound);
    udp.close(bound).unwrap();
    udp.connect(wildcard, None).unwrap();
    assert_eq!(who(&mut udp, at(PEER, 5001), at(US, 53)), wildcard);
}

#[test]
fn each_change_of_the_sockets_counts_from_the_next_datagram_on() {
    let mut udp = udp();
    let got_by = |udp: &mut mirage_udp::Udp<'_>, id| {
        arrive(udp, at(PEER, 5000), at(US, 53), b"").unwrap();
        assert!(matches!(read(udp, id), Poll::Ready(Ok(_))));
    };
    let any = udp.bind(Local { address: None, port: PortChoice::Any }).unwrap();
    got_by(&mut udp, any);
    let wildcard = udp.bind(exactly(53)).unwrap();
    got_by(&mut udp, wildcard);
    let bound = udp.bind(Local { address: Some(US), ..exactly(53) }).unwrap();
    got_by(&mut udp, bound);
    udp.connect(wildcard, Some(at(PEER, 5000))).unwrap();
    got_by(&mut udp, wildcard);
    udp.connect(wildcard, Some(at(OTHER, 5000))).unwrap();
    got_by(&mut udp, bound);
    udp.close(bound).unwrap();
    got_by(&mut udp, any);
    // In the slot that has become free.
    let again = udp.bind(Local { address: Some(OTHER), ..exactly(54) }).unwrap();
    got_by(&mut udp, any);
    udp.close(any).unwrap();
    assert_eq!(arrive(&mut udp, at(PEER, 5000), at(US, 53), b""), Err(Discard::NoSocket));
    udp.close(again).unwrap();
}

#[test]
fn a_group_reaches_who_has_every_address() {
    let mut udp = udp();
    let id = udp.bind(exactly(5353)).unwrap();
    let group = at(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)), 5353);
    let bytes = datagram(at(PEER, 5353), group, b"mdns");
    udp.input(NOW, &Received { cast: Cast::Multicast, ..Received::new(PEER, group.ip(), &bytes) }).unwrap();
    assert!(matches!(read(&mut udp, id), Poll::Ready(Ok((datagram, _))) if datagram.local == group));
}

#[test]
fn a_full_queue_drops_and_counts_and_harms_no_other() {
    let receive = Bound { bytes: 1000, datagrams: 3 };
    let mut udp = udp_of(Sizes { config: Config { receive, ..Config::default() }, ..Sizes::default() });
    let (lazy, busy) = (udp.bind(exactly(1)).unwrap(), udp.bind(exactly(2)).unwrap());
    for _ in 0..3 {
        arrive(&mut udp, at(PEER, 5000), at(US, 1), b"x").unwrap();
    }
    assert_eq!(arrive(&mut udp, at(PEER, 5000), at(US, 1), b"x"), Err(Discard::QueueFull));
    arrive(&mut udp, at(PEER, 5000), at(US, 2), &[0; 900]).unwrap();
    assert_eq!(arrive(&mut udp, at(PEER, 5000), at(US, 2), &[0; 101]), Err(Discard::QueueFull));
    arrive(&mut udp, at(PEER, 5000), at(US, 2), &[0; 100]).unwrap();
    assert!(read(&mut udp, busy).is_ready());
    assert!(read(&mut udp, lazy).is_ready());
    arrive(&mut udp, at(PEER, 5000), at(US, 1), b"x").unwrap();
    assert_eq!(udp.discards().of(Discard::QueueFull), 2);
}

#[test]
fn sockets_that_nobody_reads_cannot_use_up_the_pool() {
    let bound = Bound { bytes: usize::MAX, datagrams: usize::MAX };
    let config = Config { receive: bound, send: bound, ..Config::default() };
    let mut udp = udp_of(Sizes { sockets: 5, blocks: 64, config });
    let lazy: Vec<_> = (1..5).map(|port| udp.bind(exactly(port)).unwrap()).collect();
    for _ in 0..100 {
        for port in 1..5 {
            let _ = arrive(&mut udp, at(PEER, 5000), at(US, port), &[0; 256]);
        }
    }
    assert!(udp.discards().of(Discard::PoolFull) > 0);
    let late = udp.bind(exactly(9)).unwrap();
    arrive(&mut udp, at(PEER, 5000), at(US, 9), &[0; 1472]).expect("there must be room for one more");
    assert!(read(&mut udp, late).is_ready());
    assert!(lazy.iter().all(|id| read(&mut udp, *id).is_ready()));
}

#[test]
fn every_waiting_reader_is_woken() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let (one, two) = (Wakes::new(), Wakes::new());
    for wakes in [&one, &two] {
        assert!(udp.poll_recv(id, &mut Context::from_waker(wakes.waker()), &mut []).is_pending());
    }
    arrive(&mut udp, at(PEER, 5000), at(US, 53), b"x").unwrap();
    assert_eq!((one.count(), two.count()), (1, 1));
}

#[test]
fn a_handler_sees_the_datagram_in_place_and_may_leave_it() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let bytes = datagram(at(PEER, 5000), at(US, 53), b"hello");
    let received = Received::new(PEER, US, &bytes);
    let seen = udp.input_with(NOW, &received, |to, datagram, payload| {
        assert_eq!((to, datagram.len, payload.as_ptr()), (id, 5, bytes[8..].as_ptr()));
        true
    });
    assert_eq!(seen, Ok(()));
    assert!(read(&mut udp, id).is_pending(), "the handler took it");
    udp.input_with(NOW, &received, |_, _, _| false).unwrap();
    assert!(read(&mut udp, id).is_ready());
    let mut broken = bytes.clone();
    broken[8] ^= 1;
    let shown = udp.input_with(NOW, &Received::new(PEER, US, &broken), |_, _, _| panic!("shown unverified"));
    assert_eq!(shown, Err(Discard::BadChecksum));
}

fn error_about(kind: IcmpErrorKind, quoted: &[u8]) -> IcmpError<'_> {
    IcmpError { kind, reporter: PEER, source: US, destination: PEER, protocol: Protocol::UDP, quoted }
}

#[test]
fn a_connected_socket_hears_once_that_nobody_listens() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    udp.connect(id, Some(at(PEER, 5000))).unwrap();
    let wakes = Wakes::new();
    assert!(udp.poll_recv(id, &mut Context::from_waker(wakes.waker()), &mut []).is_pending());
    let quoted = datagram(at(US, 53), at(PEER, 5000), b"");
    udp.on_icmp_error(&error_about(IcmpErrorKind::PortUnreachable, &quoted)).unwrap();
    assert_eq!(wakes.count(), 1);
    assert!(matches!(read(&mut udp, id), Poll::Ready(Err(Error::Refused))));
    assert!(read(&mut udp, id).is_pending(), "once only");
    udp.on_icmp_error(&error_about(IcmpErrorKind::HostUnreachable, &quoted)).unwrap();
    assert!(matches!(write(&mut udp, id, b"x", at(PEER, 5000)), Poll::Ready(Err(Error::HostUnreachable))));
    assert!(matches!(write(&mut udp, id, b"x", at(PEER, 5000)), Poll::Ready(Ok(()))));
    udp.on_icmp_error(&error_about(IcmpErrorKind::FragmentationNeeded { mtu: 576 }, &quoted)).unwrap();
    assert!(read(&mut udp, id).is_pending(), "the IP layer deals with that");
}

#[test]
fn errors_about_what_was_never_sent_are_dropped() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let quoted = datagram(at(US, 53), at(PEER, 5000), b"");
    let refused = error_about(IcmpErrorKind::PortUnreachable, &quoted);
    assert_eq!(udp.on_icmp_error(&refused), Err(Discard::ErrorNoSocket), "a socket that talks to many");
    udp.connect(id, Some(at(PEER, 5001))).unwrap();
    assert_eq!(udp.on_icmp_error(&refused), Err(Discard::ErrorNoSocket), "another port");
    udp.connect(id, Some(at(PEER, 5000))).unwrap();
    let short = IcmpError { quoted: &quoted[..7], ..refused };
    assert_eq!(udp.on_icmp_error(&short), Err(Discard::ErrorNotUdp));
    let tcp = IcmpError { protocol: Protocol::TCP, ..refused };
    assert_eq!(udp.on_icmp_error(&tcp), Err(Discard::ErrorNotUdp));
    assert!(read(&mut udp, id).is_pending());
}

#[test]
fn a_closed_socket_says_so_for_ever_and_its_waiters_are_woken() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    let wakes = Wakes::new();
    assert!(udp.poll_recv(id, &mut Context::from_waker(wakes.waker()), &mut []).is_pending());
    udp.close(id).unwrap();
    assert_eq!(wakes.count(), 1);
    assert!(matches!(read(&mut udp, id), Poll::Ready(Err(Error::Closed))));
    let next = udp.bind(exactly(53)).unwrap();
    assert_ne!(id, next, "the slot is used again, the name is not");
    assert!(matches!(read(&mut udp, id), Poll::Ready(Err(Error::Closed))));
    assert_eq!(udp.close(id), Err(Error::Closed));
    assert_eq!(udp.connect(id, None), Err(Error::Closed));
    assert_eq!(udp.local(id), None);
    assert!(read(&mut udp, next).is_pending());
}

#[test]
fn what_was_not_read_is_given_back_at_the_end() {
    let mut udp = udp();
    let id = udp.bind(exactly(53)).unwrap();
    arrive(&mut udp, at(PEER, 5000), at(US, 53), &[0; 1000]).unwrap();
    udp.close(id).unwrap();
    assert_eq!((udp.stats().sockets, udp.stats().blocks, udp.stats().datagrams), (0, 0, 0));
}

proptest! {
    #[test]
    fn rubbish_is_dropped_and_counted_and_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        to in prop::option::of(Just(53_u16)),
        verified in any::<bool>(),
        ours in any::<bool>(),
    ) {
        let mut udp = udp();
        let id = udp.bind(exactly(53)).unwrap();
        let mut bytes = bytes;
        if let (Some(port), Some(field)) = (to, bytes.get_mut(2..4)) {
            field.copy_from_slice(&port.to_be_bytes());
        }
        let checksum = if verified { ReceivedChecksum::Verified } else { ReceivedChecksum::Unchecked };
        let source = if ours { US } else { PEER };
        let dropped = udp.input(NOW, &Received { checksum, ..Received::new(source, US, &bytes) }).is_err();
        prop_assert_eq!(udp.discards().total(), u64::from(dropped));
        prop_assert_eq!(read(&mut udp, id).is_ready(), !dropped);
        prop_assert_eq!(udp.stats().blocks, 0);
        let _ = udp.on_icmp_error(&error_about(IcmpErrorKind::PortUnreachable, &bytes));
    }
}
