//! The machine through its public verbs.

use core::net::{IpAddr, Ipv4Addr};

use mirage_clock::{Duration, Instant};
use mirage_icmp::{Config, Discard, ErrorToSend, Icmp, Incoming, Rate};
use mirage_net::SendError;
use mirage_protocols::testing::FakeIp;
use mirage_protocols::{Cast, IcmpErrorKind, Protocol, Received};
use proptest::prelude::*;

const US: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const NOW: Instant = Instant::from_secs(1);

fn icmp() -> Icmp {
    Icmp::new(Config::default(), [7; 16])
}

fn ip() -> FakeIp {
    FakeIp::new([10, 0, 0, 1])
}

fn message(kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest);
    bytes.extend(data);
    let checksum = mirage_checksum::checksum(&bytes);
    bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn ipv4_header(source: IpAddr, destination: IpAddr, protocol: Protocol, offset: u16) -> Vec<u8> {
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (source, destination) else { unreachable!() };
    let mut header = vec![0x45, 0, 0, 28, 0, 1];
    header.extend(offset.to_be_bytes());
    header.extend([64, protocol.0, 0, 0]);
    header.extend(source.octets());
    header.extend(destination.octets());
    header
}

fn quote() -> Vec<u8> {
    let mut quote = ipv4_header(US, PEER, Protocol::UDP, 0);
    quote.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    quote
}

#[test]
fn an_echo_reply_mirrors_identifier_sequence_and_payload() {
    let (mut icmp, mut ip) = (icmp(), ip());
    for payload in [&b""[..], b"x", b"hello", &[0xff; 1400], &[0; 3000]] {
        let request = message(8, 0, [0xab, 0xcd, 0x12, 0x34], payload);
        assert!(icmp.input(NOW, &Received::new(PEER, US, &request), &mut ip).unwrap().is_none());
        let reply = ip.sent.pop_front().unwrap();
        assert_eq!((reply.packet.source, reply.packet.destination), (US, PEER));
        assert_eq!(reply.packet.protocol, Protocol::ICMP);
        assert_eq!(reply.bytes, message(0, 0, [0xab, 0xcd, 0x12, 0x34], payload));
    }
    assert_eq!(icmp.stats().echo_replies_sent, 5);
}

#[test]
fn a_message_shorter_than_its_header_is_dropped() {
    for len in 0..8 {
        let bytes = message(8, 0, [0; 4], &[]);
        let dropped = icmp().input(NOW, &Received::new(PEER, US, &bytes[..len]), &mut ip());
        assert_eq!(dropped.unwrap_err(), Discard::TooShort);
    }
}

#[test]
fn a_wrong_checksum_is_not_answered() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let mut request = message(8, 0, [0; 4], b"hello");
    request[10] ^= 1;
    assert_eq!(icmp.input(NOW, &Received::new(PEER, US, &request), &mut ip).unwrap_err(), Discard::BadChecksum);
    assert!(ip.sent.is_empty());
    assert_eq!(icmp.discards().of(Discard::BadChecksum), 1);
}

#[test]
fn echo_requests_to_groups_or_everybody_get_no_answer() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let request = message(8, 0, [0; 4], b"smurf");
    for cast in [Cast::Broadcast, Cast::Multicast] {
        let received = Received { cast, ..Received::new(PEER, US, &request) };
        assert_eq!(icmp.input(NOW, &received, &mut ip).unwrap_err(), Discard::NotUnicast);
    }
    assert!(ip.sent.is_empty());
}

#[test]
fn a_request_from_nobody_or_from_ourselves_gets_no_answer() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let request = message(8, 0, [0; 4], b"");
    for source in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), US] {
        let dropped = icmp.input(NOW, &Received::new(source, US, &request), &mut ip);
        assert_eq!(dropped.unwrap_err(), Discard::BadSource);
    }
    assert!(ip.sent.is_empty());
}

#[test]
fn a_reply_that_finds_no_buffer_is_counted() {
    let (mut icmp, mut ip) = (icmp(), ip());
    ip.next_errors.push_back(SendError::Full);
    let request = message(8, 0, [0; 4], b"");
    let dropped = icmp.input(NOW, &Received::new(PEER, US, &request), &mut ip);
    assert_eq!(dropped.unwrap_err(), Discard::ReplyDropped);
    assert_eq!(icmp.discards().of(Discard::ReplyDropped), 1);
    assert_eq!(icmp.stats().echo_replies_sent, 0);
}

#[test]
fn a_flood_of_requests_is_answered_at_the_configured_rate() {
    let config = Config { echo_replies: Rate { per_second: 10, burst: 3 }, ..Config::default() };
    let (mut icmp, mut ip) = (Icmp::new(config, [0; 16]), ip());
    let request = message(8, 0, [0; 4], b"");
    let mut flood =
        |now| (0..50).filter(|_| icmp.input(now, &Received::new(PEER, US, &request), &mut ip).is_ok()).count();
    assert_eq!(flood(NOW), 3);
    assert_eq!(flood(NOW + Duration::from_millis(200)), 2);
}

#[test]
fn a_ping_of_ours_comes_back() {
    let (mut icmp, mut ip) = (icmp(), ip());
    icmp.echo_request(PEER, 5, 6, b"are you there", &mut ip).unwrap();
    let request = ip.sent.pop_front().unwrap();
    assert_eq!(request.bytes, message(8, 0, [0, 5, 0, 6], b"are you there"));
    let reply = message(0, 0, [0, 5, 0, 6], b"are you there");
    let Some(Incoming::EchoReply { source, identifier, sequence, payload }) =
        icmp.input(NOW, &Received::new(PEER, US, &reply), &mut ip).unwrap()
    else {
        panic!("no reply")
    };
    assert_eq!((source, identifier, sequence, payload), (PEER, 5, 6, &b"are you there"[..]));
}

#[test]
fn a_ping_without_a_route_is_refused() {
    let mut ip = ip();
    ip.source = None;
    assert_eq!(icmp().echo_request(PEER, 5, 6, b"", &mut ip), Err(SendError::NoRoute));
}

fn error_in(kind: u8, code: u8, rest: [u8; 4]) -> Result<IcmpErrorKind, Discard> {
    let bytes = message(kind, code, rest, &quote());
    match icmp().input(NOW, &Received::new(ROUTER, US, &bytes), &mut ip())? {
        Some(Incoming::Error(error)) => {
            assert_eq!((error.reporter, error.source, error.destination), (ROUTER, US, PEER));
            assert_eq!(error.protocol, Protocol::UDP);
            assert_eq!(error.quoted, [1, 2, 3, 4, 5, 6, 7, 8]);
            Ok(error.kind)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_code_of_unreachable_has_its_meaning() {
    for code in (0..=1).chain(5..=15) {
        assert_eq!(error_in(3, code, [0; 4]), Ok(IcmpErrorKind::HostUnreachable), "code {code}");
    }
    assert_eq!(error_in(3, 2, [0; 4]), Ok(IcmpErrorKind::ProtocolUnreachable));
    assert_eq!(error_in(3, 3, [0; 4]), Ok(IcmpErrorKind::PortUnreachable));
    assert_eq!(error_in(3, 4, [0, 0, 5, 0xdc]), Ok(IcmpErrorKind::FragmentationNeeded { mtu: 1500 }));
    assert_eq!(error_in(3, 16, [0; 4]), Err(Discard::UnknownCode));
}

#[test]
fn the_other_errors_have_theirs() {
    assert_eq!(error_in(11, 0, [0; 4]), Ok(IcmpErrorKind::TimeExceeded));
    assert_eq!(error_in(11, 1, [0; 4]), Ok(IcmpErrorKind::TimeExceeded));
    assert_eq!(error_in(11, 2, [0; 4]), Err(Discard::UnknownCode));
    assert_eq!(error_in(12, 0, [20, 0, 0, 0]), Ok(IcmpErrorKind::ParameterProblem));
}

#[test]
fn source_quench_and_redirect_are_dropped_by_name() {
    assert_eq!(error_in(4, 0, [0; 4]), Err(Discard::SourceQuench));
    assert_eq!(error_in(5, 1, [10, 0, 0, 9]), Err(Discard::Redirect));
    assert_eq!(error_in(13, 0, [0; 4]), Err(Discard::UnknownType));
}

#[test]
fn an_error_must_quote_a_packet_of_ours_with_eight_bytes() {
    let quoting = |quote: &[u8]| {
        let bytes = message(3, 3, [0; 4], quote);
        icmp().input(NOW, &Received::new(ROUTER, US, &bytes), &mut ip()).map(|_| ()).unwrap_err()
    };
    assert_eq!(quoting(&[]), Discard::BadQuote);
    assert_eq!(quoting(&quote()[..27]), Discard::BadQuote);
    let mut options_missing = quote();
    options_missing[0] = 0x46;
    assert_eq!(quoting(&options_missing), Discard::BadQuote);
    let mut ipv6 = quote();
    ipv6[0] = 0x65;
    assert_eq!(quoting(&ipv6), Discard::BadQuote);
    let mut later = ipv4_header(US, PEER, Protocol::UDP, 100);
    later.extend([0; 8]);
    assert_eq!(quoting(&later), Discard::BadQuote);
    let mut strange = ipv4_header(ROUTER, PEER, Protocol::UDP, 0);
    strange.extend([0; 8]);
    assert_eq!(quoting(&strange), Discard::NotOurs);
}

fn tell(icmp: &mut Icmp, header: &[u8], payload: &[u8], cast: Cast, ip: &mut FakeIp) -> Result<(), Discard> {
    icmp.send_error(NOW, ErrorToSend::PortUnreachable, header, payload, cast, ip)
}

#[test]
fn an_error_quotes_the_packet_it_is_about() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let header = ipv4_header(PEER, US, Protocol::UDP, 0);
    tell(&mut icmp, &header, b"12345678 and more", Cast::Unicast, &mut ip).unwrap();
    let error = ip.sent.pop_front().unwrap();
    assert_eq!((error.packet.source, error.packet.destination), (US, PEER));
    let quoted = [&header[..], b"12345678 and more"].concat();
    assert_eq!(error.bytes, message(3, 3, [0; 4], &quoted));
    assert_eq!(icmp.stats().errors_sent, 1);
}

#[test]
fn every_error_has_its_type_code_and_pointer() {
    let header = ipv4_header(PEER, US, Protocol::UDP, 0);
    for (error, kind, code, rest) in [
        (ErrorToSend::HostUnreachable, 3, 1, [0; 4]),
        (ErrorToSend::ProtocolUnreachable, 3, 2, [0; 4]),
        (ErrorToSend::PortUnreachable, 3, 3, [0; 4]),
        (ErrorToSend::TimeExceededReassembly, 11, 1, [0; 4]),
        (ErrorToSend::ParameterProblem { pointer: 9 }, 12, 0, [9, 0, 0, 0]),
    ] {
        let mut ip = ip();
        icmp().send_error(NOW, error, &header, b"12345678", Cast::Unicast, &mut ip).unwrap();
        let quoted = [&header[..], b"12345678"].concat();
        assert_eq!(ip.sent[0].bytes, message(kind, code, rest, &quoted));
    }
}

#[test]
fn an_error_is_no_longer_than_576_bytes() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let header = ipv4_header(PEER, US, Protocol::UDP, 0);
    tell(&mut icmp, &header, &[9; 1480], Cast::Unicast, &mut ip).unwrap();
    assert_eq!(ip.sent.pop_front().unwrap().bytes.len(), 576 - 20);
    ip.mtu = 100;
    tell(&mut icmp, &header, &[9; 1480], Cast::Unicast, &mut ip).unwrap();
    assert_eq!(ip.sent.pop_front().unwrap().bytes.len(), 100);
}

#[test]
fn no_error_is_told_where_none_may_be() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let udp = ipv4_header(PEER, US, Protocol::UDP, 0);
    let about_icmp = ipv4_header(PEER, US, Protocol::ICMP, 0);
    let fragment = ipv4_header(PEER, US, Protocol::UDP, 5);
    let from = |a, b, c, d| ipv4_header(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), US, Protocol::UDP, 0);
    let group = ipv4_header(PEER, IpAddr::V4(Ipv4Addr::new(224, 0, 0, 5)), Protocol::UDP, 0);
    for (header, payload, cast, reason) in [
        (&udp, &[0; 8], Cast::Broadcast, Discard::NotUnicast),
        (&udp, &[0; 8], Cast::Multicast, Discard::NotUnicast),
        (&group, &[0; 8], Cast::Unicast, Discard::NotUnicast),
        (&about_icmp, &[3; 8], Cast::Unicast, Discard::ErrorAboutError),
        (&fragment, &[0; 8], Cast::Unicast, Discard::ErrorAboutFragment),
        (&from(0, 0, 0, 0), &[0; 8], Cast::Unicast, Discard::BadSource),
        (&from(127, 0, 0, 1), &[0; 8], Cast::Unicast, Discard::BadSource),
        (&from(224, 0, 0, 1), &[0; 8], Cast::Unicast, Discard::BadSource),
        (&from(255, 255, 255, 255), &[0; 8], Cast::Unicast, Discard::BadSource),
        (&from(10, 0, 0, 1), &[0; 8], Cast::Unicast, Discard::BadSource),
    ] {
        assert_eq!(tell(&mut icmp, header, payload, cast, &mut ip), Err(reason));
    }
    assert_eq!(tell(&mut icmp, &udp[..19], &[], Cast::Unicast, &mut ip), Err(Discard::ErrorAboutError));
    let options_missing = [&[0x46], &udp[1..]].concat();
    assert_eq!(tell(&mut icmp, &options_missing, &[0; 8], Cast::Unicast, &mut ip), Err(Discard::ErrorAboutError));
    assert!(ip.sent.is_empty());
    // An echo request is no error.
    assert_eq!(tell(&mut icmp, &about_icmp, &[8; 8], Cast::Unicast, &mut ip), Ok(()));
}

#[test]
fn errors_are_limited_and_nobody_knows_the_limit_exactly() {
    let header = ipv4_header(PEER, US, Protocol::UDP, 0);
    let burst = |secret| {
        let (mut icmp, mut ip) = (Icmp::new(Config::default(), secret), ip());
        (0..500).filter(|_| tell(&mut icmp, &header, &[0; 8], Cast::Unicast, &mut ip).is_ok()).count()
    };
    let counts: Vec<_> = (0..20).map(|n| burst([n; 16])).collect();
    assert!(counts.iter().all(|count| (35..=75).contains(count)), "{counts:?}");
    let different: std::collections::HashSet<_> = counts.iter().collect();
    assert!(different.len() > 3, "too easy to guess: {counts:?}");
}

#[test]
fn the_limit_lets_errors_through_again() {
    let (mut icmp, mut ip) = (icmp(), ip());
    let header = ipv4_header(PEER, US, Protocol::UDP, 0);
    while tell(&mut icmp, &header, &[0; 8], Cast::Unicast, &mut ip).is_ok() {}
    let later = NOW + Duration::from_secs(1);
    let told = icmp.send_error(later, ErrorToSend::PortUnreachable, &header, &[0; 8], Cast::Unicast, &mut ip);
    assert_eq!(told, Ok(()));
}

proptest! {
    #[test]
    fn rubbish_is_dropped_or_understood_and_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        fix in any::<bool>(),
        kind in prop::sample::select(vec![0_u8, 3, 4, 5, 8, 11, 12, 13]),
    ) {
        let (mut icmp, mut ip) = (icmp(), ip());
        let mut bytes = bytes;
        if fix && bytes.len() >= 8 {
            bytes[0] = kind;
            bytes[2..4].fill(0);
            let checksum = mirage_checksum::checksum(&bytes);
            bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
        }
        let dropped = icmp.input(NOW, &Received::new(PEER, US, &bytes), &mut ip).is_err();
        prop_assert_eq!(icmp.discards().total(), u64::from(dropped));
        for reply in &ip.sent {
            prop_assert!(mirage_checksum::verify(&reply.bytes));
        }
        let _ = icmp.send_error(NOW, ErrorToSend::PortUnreachable, &bytes, &bytes, Cast::Unicast, &mut ip);
    }
}
