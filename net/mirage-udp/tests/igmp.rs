//! Memberships and what routers hear of them.

use core::net::{IpAddr, Ipv4Addr};

use mirage_clock::{Duration, Instant};
use mirage_net::SendError;
use mirage_protocols::testing::FakeIp;
use mirage_protocols::{Cast, Received};
use mirage_udp::igmp::{Discard, GroupSlot, Igmp, JoinError};
use proptest::prelude::*;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const OTHER: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 4);
const EVERYBODY: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 254));
const NOW: Instant = Instant::from_secs(100);

fn ip() -> FakeIp {
    FakeIp::new([10, 0, 0, 1])
}

fn message(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let checksum = mirage_checksum::checksum(&bytes);
    bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn query_v2(group: Ipv4Addr, tenths: u8) -> Vec<u8> {
    let [a, b, c, d] = group.octets();
    message(&[0x11, tenths, 0, 0, a, b, c, d])
}

fn query_v3(group: Ipv4Addr, code: u8) -> Vec<u8> {
    let [a, b, c, d] = group.octets();
    message(&[0x11, code, 0, 0, a, b, c, d, 2, 125, 0, 0])
}

fn report_v3(record: u8, group: Ipv4Addr) -> Vec<u8> {
    let [a, b, c, d] = group.octets();
    message(&[0x22, 0, 0, 0, 0, 0, 0, 1, record, 0, 0, 0, a, b, c, d])
}

fn hear(igmp: &mut Igmp<'_>, now: Instant, bytes: &[u8]) -> Result<(), Discard> {
    let received = Received::new(ROUTER, IpAddr::V4(EVERYBODY), bytes);
    igmp.input(now, &Received { cast: Cast::Multicast, ttl: 1, ..received })
}

/// Lets time pass until nothing is due before `until`, and gives what was sent.
fn said(igmp: &mut Igmp<'_>, mut now: Instant, until: Instant) -> Vec<(Ipv4Addr, Vec<u8>)> {
    let mut ip = ip();
    loop {
        igmp.poll_transmit(now, &mut ip).unwrap();
        match igmp.poll_timeout() {
            Some(due) if due < until => {
                assert!(due > now, "a timeout that is past must be served");
                igmp.handle_timeout(due);
                now = due;
            }
            _ => break,
        }
    }
    let packets = ip.sent.into_iter().map(|sent| {
        assert_eq!(sent.packet.ttl, Some(1));
        assert!(sent.packet.router_alert);
        let IpAddr::V4(to) = sent.packet.destination else { unreachable!() };
        (to, sent.bytes)
    });
    packets.collect()
}

#[test]
fn a_join_is_told_twice_and_a_leave_too() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    igmp.join(GROUP).unwrap();
    let joined = (Ipv4Addr::new(224, 0, 0, 22), report_v3(4, GROUP));
    assert_eq!(said(&mut igmp, NOW, Instant::MAX), [joined.clone(), joined]);
    igmp.leave(GROUP).unwrap();
    let left = (Ipv4Addr::new(224, 0, 0, 22), report_v3(3, GROUP));
    assert_eq!(said(&mut igmp, NOW, Instant::MAX), [left.clone(), left]);
    assert_eq!(igmp.poll_timeout(), None);
}

#[test]
fn only_the_first_join_and_the_last_leave_count() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    igmp.join(GROUP).unwrap();
    said(&mut igmp, NOW, Instant::MAX);
    igmp.join(GROUP).unwrap();
    igmp.leave(GROUP).unwrap();
    assert!(said(&mut igmp, NOW, Instant::MAX).is_empty());
    assert!(igmp.is_member(GROUP));
    igmp.leave(GROUP).unwrap();
    assert!(!igmp.is_member(GROUP));
    assert_eq!(igmp.leave(GROUP), Err(JoinError::NotMember));
}

#[test]
fn everybody_is_in_the_first_group_and_nobody_says_so() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    assert!(igmp.is_member(EVERYBODY));
    igmp.join(EVERYBODY).unwrap();
    hear(&mut igmp, NOW, &query_v3(Ipv4Addr::UNSPECIFIED, 10)).unwrap();
    igmp.leave(EVERYBODY).unwrap();
    assert!(said(&mut igmp, NOW, Instant::MAX).is_empty());
    assert!(igmp.is_member(EVERYBODY));
}

#[test]
fn what_is_no_group_is_refused_and_so_is_one_too_many() {
    let mut groups = [GroupSlot::EMPTY; 1];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    assert_eq!(igmp.join(Ipv4Addr::new(10, 0, 0, 1)), Err(JoinError::NotAGroup));
    igmp.join(GROUP).unwrap();
    assert_eq!(igmp.join(OTHER), Err(JoinError::TableFull));
    igmp.leave(GROUP).unwrap();
    said(&mut igmp, NOW, Instant::MAX);
    assert_eq!(igmp.join(OTHER), Ok(()));
}

#[test]
fn a_query_is_answered_within_its_time_and_not_at_once_by_all() {
    let mut delays = std::collections::HashSet::new();
    for secret in 0..20 {
        let mut groups = [GroupSlot::EMPTY; 2];
        let mut igmp = Igmp::new(&mut groups[..], [secret; 16]);
        igmp.join(GROUP).unwrap();
        said(&mut igmp, NOW, Instant::MAX);
        hear(&mut igmp, NOW, &query_v3(Ipv4Addr::UNSPECIFIED, 100)).unwrap();
        let due = igmp.poll_timeout().expect("an answer");
        assert!(due.since(NOW) <= Duration::from_secs(10));
        delays.insert(due);
        let present = (Ipv4Addr::new(224, 0, 0, 22), report_v3(2, GROUP));
        assert_eq!(said(&mut igmp, due, Instant::MAX), [present]);
    }
    assert!(delays.len() > 15, "hosts must not answer in step: {delays:?}");
}

#[test]
fn a_query_about_one_group_is_answered_for_that_one() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    igmp.join(GROUP).unwrap();
    igmp.join(OTHER).unwrap();
    said(&mut igmp, NOW, Instant::MAX);
    hear(&mut igmp, NOW, &query_v3(OTHER, 10)).unwrap();
    let answers = said(&mut igmp, NOW, Instant::MAX);
    assert_eq!(answers, [(Ipv4Addr::new(224, 0, 0, 22), report_v3(2, OTHER))]);
    hear(&mut igmp, NOW, &query_v3(Ipv4Addr::new(239, 9, 9, 9), 10)).unwrap();
    assert_eq!(igmp.poll_timeout(), None);
}

#[test]
fn a_second_query_never_delays_the_answer_to_the_first() {
    for secret in 0..20 {
        let mut groups = [GroupSlot::EMPTY; 2];
        let mut igmp = Igmp::new(&mut groups[..], [secret; 16]);
        igmp.join(GROUP).unwrap();
        said(&mut igmp, NOW, Instant::MAX);
        hear(&mut igmp, NOW, &query_v3(GROUP, 1)).unwrap();
        hear(&mut igmp, NOW, &query_v3(GROUP, 127)).unwrap();
        let within = NOW + Duration::from_millis(101);
        assert_eq!(said(&mut igmp, NOW, within).len(), 1);
        assert_eq!(igmp.poll_timeout(), None);
    }
}

#[test]
fn an_old_router_hears_version_2_for_a_while() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    igmp.join(GROUP).unwrap();
    said(&mut igmp, NOW, Instant::MAX);
    hear(&mut igmp, NOW, &query_v2(Ipv4Addr::UNSPECIFIED, 100)).unwrap();
    let answers = said(&mut igmp, NOW, Instant::MAX);
    assert_eq!(answers, [(GROUP, message(&[0x16, 0, 0, 0, 239, 1, 2, 3]))]);
    igmp.leave(GROUP).unwrap();
    let left = (Ipv4Addr::new(224, 0, 0, 2), message(&[0x17, 0, 0, 0, 239, 1, 2, 3]));
    assert_eq!(said(&mut igmp, NOW, Instant::MAX), [left]);
    // 2 × 125 s and 10 s later the old router is forgotten.
    let later = NOW + Duration::from_secs(260);
    igmp.join(OTHER).unwrap();
    let joined = (Ipv4Addr::new(224, 0, 0, 22), report_v3(4, OTHER));
    assert_eq!(said(&mut igmp, later, Instant::MAX), [joined.clone(), joined]);
}

#[test]
fn in_version_2_the_report_of_another_host_is_enough() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    igmp.join(GROUP).unwrap();
    said(&mut igmp, NOW, Instant::MAX);
    hear(&mut igmp, NOW, &query_v2(Ipv4Addr::UNSPECIFIED, 100)).unwrap();
    hear(&mut igmp, NOW, &message(&[0x16, 0, 0, 0, 239, 1, 2, 3])).unwrap();
    assert_eq!(igmp.poll_timeout(), None);
}

#[test]
fn a_report_that_found_no_buffer_is_sent_later() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    igmp.join(GROUP).unwrap();
    let mut ip = ip();
    ip.next_errors.push_back(SendError::Full);
    assert_eq!(igmp.poll_transmit(NOW, &mut ip), Err(SendError::Full));
    assert!(igmp.poll_timeout().is_some());
    igmp.poll_transmit(NOW, &mut ip).unwrap();
    assert_eq!(ip.sent.len(), 1);
}

#[test]
fn nonsense_is_dropped_by_name() {
    let mut groups = [GroupSlot::EMPTY; 2];
    let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
    let query = query_v3(Ipv4Addr::UNSPECIFIED, 10);
    let far = Received { ttl: 64, ..Received::new(ROUTER, IpAddr::V4(EVERYBODY), &query) };
    assert_eq!(igmp.input(NOW, &far), Ok(()), "who is in no group does not listen");
    igmp.join(EVERYBODY).unwrap();
    assert_eq!(igmp.input(NOW, &far), Err(Discard::BadTtl));
    assert_eq!(hear(&mut igmp, NOW, &query[..7]), Err(Discard::TooShort));
    let mut broken = query.clone();
    broken[1] ^= 1;
    assert_eq!(hear(&mut igmp, NOW, &broken), Err(Discard::BadChecksum));
    assert_eq!(hear(&mut igmp, NOW, &query_v3(Ipv4Addr::new(10, 0, 0, 1), 10)), Err(Discard::BadQuery));
    assert_eq!(hear(&mut igmp, NOW, &message(&[0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0])), Err(Discard::BadQuery));
    assert_eq!(hear(&mut igmp, NOW, &message(&[0x99, 0, 0, 0, 0, 0, 0, 0])), Err(Discard::UnknownType));
    assert_eq!(igmp.discards().total(), 6);
}

proptest! {
    #[test]
    fn rubbish_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40), fix in any::<bool>()) {
        let mut groups = [GroupSlot::EMPTY; 2];
        let mut igmp = Igmp::new(&mut groups[..], [1; 16]);
        igmp.join(GROUP).unwrap();
        let bytes = if fix && bytes.len() >= 8 {
            let mut bytes = bytes;
            bytes[2..4].fill(0);
            message(&bytes)
        } else {
            bytes
        };
        let _ = hear(&mut igmp, NOW, &bytes);
        said(&mut igmp, NOW, NOW + Duration::from_secs(10_000));
    }
}
