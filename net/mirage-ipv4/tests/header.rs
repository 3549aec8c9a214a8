//! What makes a header good or bad.

mod common;

use common::*;
use mirage_ipv4::Discard;
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Ecn, Protocol};

#[test]
fn a_packet_without_options_comes_up_with_everything_known_of_it() {
    let mut host = host();
    let bytes = Raw { ttl: 3, ..Raw::default() }.bytes();
    let size = core::num::NonZeroU16::new(1460);
    let incoming =
        host.input(secs(1), FIRST, Cast::Unicast, &bytes, ReceivedChecksum::Verified, size).unwrap().unwrap();
    assert_eq!(incoming.protocol, Protocol::UDP);
    assert_eq!(incoming.header, &bytes[..20]);
    assert!(!incoming.fragmented);
    let received = incoming.received;
    assert_eq!((received.source, received.destination), (PEER.into(), US.into()));
    assert_eq!((received.cast, received.payload, received.ttl), (Cast::Unicast, &b"payload!"[..], 3));
    assert_eq!((received.checksum, received.segment_size), (ReceivedChecksum::Verified, size));
}

#[test]
fn a_mark_of_a_router_comes_up() {
    let mut bytes = Raw::default().bytes();
    bytes[1] = 0xb8 | 3;
    let bytes = sealed(bytes);
    let mut host = host();
    let incoming =
        host.input(secs(1), FIRST, Cast::Unicast, &bytes, ReceivedChecksum::Unchecked, None).unwrap().unwrap();
    assert_eq!(incoming.received.ecn, Ecn::Congested);
}

#[test]
fn options_are_kept_for_quoting_and_not_taken_for_payload() {
    let mut host = host();
    let bytes = Raw { options: vec![0x94, 4, 0, 0, 1, 1, 1, 0], ..Raw::default() }.bytes();
    let incoming =
        host.input(secs(1), FIRST, Cast::Unicast, &bytes, ReceivedChecksum::Unchecked, None).unwrap().unwrap();
    assert_eq!(incoming.header, &bytes[..28]);
    assert_eq!(incoming.received.payload, b"payload!");
}

#[test]
fn a_packet_shorter_than_a_header_is_refused() {
    let bytes = Raw::default().bytes();
    for len in 0..20 {
        assert_eq!(give_bytes(&mut host(), secs(1), &bytes[..len]), Err(Discard::TooShort));
    }
}

#[test]
fn another_version_is_refused() {
    for version in (0..16).filter(|version| *version != 4) {
        let mut bytes = Raw::default().bytes();
        bytes[0] = version << 4 | 5;
        assert_eq!(give_bytes(&mut host(), secs(1), &sealed(bytes)), Err(Discard::Version));
    }
}

#[test]
fn a_header_shorter_than_twenty_bytes_or_longer_than_the_packet_is_refused() {
    for words in (0..5).chain(8..16) {
        let mut bytes = Raw::default().bytes();
        bytes[0] = 4 << 4 | words;
        assert_eq!(give_bytes(&mut host(), secs(1), &sealed(bytes)), Err(Discard::HeaderLength), "{words} words");
    }
}

#[test]
fn a_length_shorter_than_the_header_or_longer_than_the_frame_is_refused() {
    for (options, len) in [(0, 0), (0, 19), (0, 29), (0, 65_535), (8, 27), (8, 37)] {
        let mut bytes = Raw { options: vec![1; options], ..Raw::default() }.bytes();
        bytes[2..4].copy_from_slice(&u16::to_be_bytes(len));
        assert_eq!(give_bytes(&mut host(), secs(1), &sealed(bytes)), Err(Discard::TotalLength), "{len} bytes");
    }
}

#[test]
fn ripple20_bytes_behind_the_packet_are_cut_off() {
    let mut bytes = Raw::default().bytes();
    bytes.extend([0xaa; 18]);
    assert_eq!(give_bytes(&mut host(), secs(1), &bytes), Ok(Some(b"payload!".to_vec())));
}

#[test]
fn every_flipped_bit_of_the_header_is_noticed() {
    for options in [vec![], vec![1, 1, 1, 0]] {
        let bytes = Raw { options, ..Raw::default() }.bytes();
        for bit in 0..(bytes.len() - 8) * 8 {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            let mut host = host();
            // A bit of the first byte moves the end of the header and may be noticed before the sum.
            let reason = give_bytes(&mut host, secs(1), &wrong).expect_err("a wrong header");
            assert!(reason == Discard::Checksum || bit < 8, "bit {bit}: {reason:?}");
            assert_eq!(host.discards().of(reason), 1);
        }
    }
}

#[test]
fn an_all_zero_header_is_refused() {
    assert_eq!(give_bytes(&mut host(), secs(1), &[0; 40]), Err(Discard::Version));
}

#[test]
fn an_empty_payload_comes_up() {
    assert_eq!(give(&mut host(), &Raw { payload: vec![], ..Raw::default() }), Ok(Some(vec![])));
}

#[test]
fn a_packet_without_time_to_live_is_refused() {
    assert_eq!(give(&mut host(), &Raw { ttl: 0, ..Raw::default() }), Err(Discard::TimeToLive));
    assert!(give(&mut host(), &Raw { ttl: 1, ..Raw::default() }).is_ok());
}

#[test]
fn amnesia33_options_of_length_zero_and_one_are_refused() {
    for len in [0, 1] {
        let options = vec![7, len, 0, 0];
        assert_eq!(give(&mut host(), &Raw { options, ..Raw::default() }), Err(Discard::BadOption));
    }
}

#[test]
fn urgent11_an_option_that_reaches_behind_the_header_is_refused() {
    for options in [vec![7, 5, 0, 0], vec![1, 1, 7, 3], vec![1, 1, 1, 7], vec![0x44, 255, 0, 0]] {
        assert_eq!(give(&mut host(), &Raw { options, ..Raw::default() }), Err(Discard::BadOption));
    }
}

#[test]
fn what_follows_the_end_of_options_does_not_matter() {
    assert!(give(&mut host(), &Raw { options: vec![0, 7, 0, 0], ..Raw::default() }).is_ok());
    assert!(give(&mut host(), &Raw { options: vec![7, 4, 0, 0], ..Raw::default() }).is_ok());
    assert!(give(&mut host(), &Raw { options: vec![1; 40], ..Raw::default() }).is_ok());
}

#[test]
fn urgent11_lsrr_is_dropped_and_so_is_ssrr() {
    for kind in [131, 137] {
        let options = vec![1, kind, 7, 4, 10, 0, 0, 9];
        let mut host = host();
        assert_eq!(give(&mut host, &Raw { options, ..Raw::default() }), Err(Discard::SourceRoute));
        assert_eq!(host.discards().of(Discard::SourceRoute), 1);
    }
}
