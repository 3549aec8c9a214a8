//! What strangers try.

mod station;

use core::net::Ipv4Addr;

use mirage_arp::{CacheFull, Config, Discard, Event};
use mirage_clock::Duration;
use mirage_net::{MacAddress, SendError};
use proptest::prelude::*;
use station::*;

#[test]
fn a_reply_that_nobody_asked_for_teaches_nothing() {
    let mut station = Station::settled();
    assert_eq!(station.reply((OTHER, PEER_IP)), Err(Discard::Unsolicited));
    assert_eq!(station.arp.lookup(station.now, PEER_IP), None);
}

#[test]
fn a_request_teaches_nothing_about_strangers() {
    let mut station = Station::settled();
    station.input(1, (PEER, PEER_IP), OUR_IP).unwrap();
    assert_eq!(station.arp.lookup(station.now, PEER_IP), None);
}

#[test]
fn a_neighbour_that_moves_is_followed() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    // A gratuitous request, as a machine sends after it has moved.
    station.input(1, (OTHER, PEER_IP), PEER_IP).unwrap();
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(OTHER));
    station.reply((PEER, PEER_IP)).unwrap();
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER));
}

#[test]
fn an_expired_entry_is_not_revived_unasked() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    station.pass(Duration::from_secs(20 * 60));
    assert_eq!(station.reply((OTHER, PEER_IP)), Err(Discard::Unsolicited));
    assert_eq!(station.arp.lookup(station.now, PEER_IP), None);
}

#[test]
fn nothing_overrides_a_static_neighbour() {
    let mut station = Station::settled();
    station.arp.set_static(PEER_IP, PEER).unwrap();
    assert_eq!(station.reply((OTHER, PEER_IP)), Err(Discard::Pinned));
    assert_eq!(station.input(1, (OTHER, PEER_IP), PEER_IP), Err(Discard::Pinned));
    // A request is answered all the same.
    station.input(1, (OTHER, PEER_IP), OUR_IP).unwrap();
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER));
}

#[test]
fn a_sender_that_is_not_the_station_on_the_link_is_not_believed() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"?").unwrap();
    let forged = packet(2, (OTHER, PEER_IP), (OURS, OUR_IP));
    assert_eq!(station.arp.input(station.now, &forged, PEER), Err(Discard::SenderMismatch));
    assert_eq!(station.arp.lookup(station.now, PEER_IP), None);
}

#[test]
fn a_group_is_nobodys_hardware_address() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"?").unwrap();
    for mac in [MacAddress::BROADCAST, MacAddress([1, 0, 0x5e, 0, 0, 1]), MacAddress::UNSPECIFIED] {
        assert_eq!(station.reply((mac, PEER_IP)), Err(Discard::SenderNotUnicast), "{mac}");
    }
    for ip in [Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        assert_eq!(station.reply((PEER, ip)), Err(Discard::SenderNotUnicast), "{ip}");
    }
}

#[test]
fn packets_about_other_things_are_discarded() {
    let mut station = Station::settled();
    let good = packet(1, (PEER, PEER_IP), (OURS, OUR_IP));
    for len in 0..28 {
        assert_eq!(station.arp.input(station.now, &good[..len], PEER), Err(Discard::TooShort));
    }
    for (at, why) in [
        (1, Discard::NotEthernetIpv4),
        (2, Discard::NotEthernetIpv4),
        (4, Discard::NotEthernetIpv4),
        (5, Discard::NotEthernetIpv4),
        (6, Discard::UnknownOperation),
    ] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert_eq!(station.arp.input(station.now, &bad, PEER), Err(why), "byte {at}");
    }
    for operation in [0, 3, 8, 0xffff] {
        assert_eq!(station.input(operation, (PEER, PEER_IP), OUR_IP), Err(Discard::UnknownOperation));
    }
    let padded = [&good[..], &[0xff; 18]].concat();
    assert_eq!(station.arp.input(station.now, &padded, PEER), Ok(()));
}

fn target(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a01_0000 + number)
}

#[test]
fn a_scan_of_silent_targets_evicts_neither_static_nor_active_neighbours() {
    let mut station = Station::settled();
    station.arp.set_static(Ipv4Addr::new(10, 0, 0, 200), OTHER).unwrap();
    // Eight of sixteen entries are in use.
    let friends: Vec<_> = (2..9).map(|host| Ipv4Addr::new(10, 0, 0, host)).collect();
    for &friend in &friends {
        station.meet(PEER, friend);
    }
    for number in 0..10_000 {
        _ = station.send(target(number), b"scan");
        if number % 10 == 0 {
            station.pass(Duration::from_millis(500));
            for &friend in &friends {
                station.send(friend, b"active").unwrap();
            }
        }
        while station.arp.next_event().is_some() {}
        station.link.sent.clear();
    }
    for &friend in &friends {
        assert_eq!(station.arp.lookup(station.now, friend), Some(PEER), "{friend}");
    }
    assert_eq!(station.arp.lookup(station.now, Ipv4Addr::new(10, 0, 0, 200)), Some(OTHER));
}

#[test]
fn a_scan_of_answering_targets_evicts_no_active_neighbour() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    for number in 0..10_000 {
        station.send(target(number), b"scan").unwrap();
        station.transmit();
        station.reply((OTHER, target(number))).unwrap();
        station.pass(Duration::from_millis(200));
        if number % 10 == 0 {
            station.send(PEER_IP, b"active").unwrap();
            station.reply((PEER, PEER_IP)).unwrap();
        }
        station.link.sent.clear();
        assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER), "after {number}");
    }
}

#[test]
fn a_scan_does_not_keep_a_new_neighbour_from_being_found() {
    let mut station = Station::settled();
    for number in 0..200 {
        _ = station.send(target(number), b"scan");
    }
    station.send(PEER_IP, b"first").unwrap();
    station.transmit();
    station.reply((PEER, PEER_IP)).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent(), [(PEER, b"first".to_vec())]);
}

#[test]
fn every_question_ends_even_when_it_gives_way_to_another() {
    let mut station = Station::settled_with(
        Config { max_unresolved: 3, ..Config::new(OURS) },
        Sizes { events: 64, ..Sizes::default() },
    );
    for number in 0..20 {
        station.send(target(number), b"scan").unwrap();
        station.pass(Duration::from_millis(10));
    }
    station.pass(Duration::from_secs(10));
    let mut ended: Vec<_> = core::iter::from_fn(|| station.arp.next_event()).collect();
    ended.sort_by_key(|event| match event {
        Event::Unresolved(ip) => *ip,
        _ => panic!("{event:?}"),
    });
    assert_eq!(ended, (0..20).map(|number| Event::Unresolved(target(number))).collect::<Vec<_>>());
    assert_eq!(station.arp.pending(), 0);
}

#[test]
fn no_more_targets_are_asked_for_at_a_time_than_configured() {
    let mut station = Station::settled_with(Config { max_unresolved: 3, ..Config::new(OURS) }, Sizes::default());
    for number in 0..5 {
        station.send(target(number), b"scan").unwrap();
        station.transmit();
    }
    let given_up: Vec<_> = core::iter::from_fn(|| station.arp.next_event()).collect();
    assert_eq!(given_up, [Event::Unresolved(target(0)), Event::Unresolved(target(1))]);
}

#[test]
fn a_packet_kept_for_a_report_gives_way_to_one_that_may_still_arrive() {
    let mut station = Station::settled();
    station.send(target(0), b"lost").unwrap();
    station.pass(Duration::from_secs(3));
    for number in 0..7 {
        station.send(if number < 4 { target(1) } else { PEER_IP }, b"waits").unwrap();
    }
    assert_eq!(station.arp.pending(), 8);
    station.send(PEER_IP, b"waits").unwrap();
    station.link.sent.clear();
    station.reply((PEER, PEER_IP)).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent().len(), 4);
    let report = station.arp.poll_event(|event, packet| (event, packet.is_some()));
    assert_eq!(report, Some((Event::Unresolved(target(0)), false)));
}

#[test]
fn waiting_packets_are_bounded_for_each_target_and_the_oldest_goes() {
    let mut station = Station::settled();
    for number in 0..6_u8 {
        station.send(PEER_IP, &[number; 10]).unwrap();
    }
    station.send(target(1), b"another").unwrap();
    assert_eq!((station.arp.pending(), station.arp.dropped()), (5, 2));
    station.reply((PEER, PEER_IP)).unwrap();
    station.transmit();
    let sent: Vec<_> = station.ip_sent().into_iter().map(|(_, bytes)| bytes[0]).collect();
    assert_eq!(sent, [2, 3, 4, 5]);
}

#[test]
fn waiting_packets_are_bounded_in_all_by_number_and_bytes() {
    let mut station = Station::settled();
    for number in 0..12 {
        station.send(target(number), &[0; 1000]).unwrap();
        assert!(station.arp.pending() <= 4, "four times 1000 bytes in 4096");
    }
    for number in 20..40 {
        station.send(target(number), b"short").unwrap();
        assert!(station.arp.pending() <= 8);
    }
    // The latest are there.
    station.reply((PEER, target(39))).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent(), [(PEER, b"short".to_vec())]);
}

#[test]
fn events_are_bounded_and_the_oldest_is_forgotten_with_its_packet() {
    let mut station = Station::settled_with(Config::new(OURS), Sizes { events: 2, ..Sizes::default() });
    for number in 0..3 {
        station.send(target(number), b"lost").unwrap();
        station.pass(Duration::from_millis(1));
    }
    station.pass(Duration::from_secs(5));
    assert_eq!(station.arp.pending(), 2);
    for number in 1..3 {
        let event = station.arp.poll_event(|event, packet| (event, packet.is_some()));
        assert_eq!(event, Some((Event::Unresolved(target(number)), true)));
    }
    assert_eq!((station.arp.next_event(), station.arp.pending()), (None, 0));
}

#[test]
fn a_table_full_of_static_neighbours_says_so() {
    let mut station = Station::settled_with(Config::new(OURS), Sizes { entries: 2, ..Sizes::default() });
    station.meet(PEER, PEER_IP);
    station.arp.set_static(target(1), PEER).unwrap();
    station.arp.set_static(target(2), PEER).unwrap();
    assert_eq!(station.arp.set_static(target(3), PEER), Err(CacheFull));
    assert_eq!(station.send(target(4), b"?"), Err(SendError::Unresolved));
    station.arp.set_static(target(2), OTHER).unwrap();
    assert!(station.arp.remove_static(target(1)));
    assert_eq!(station.send(target(4), b"?"), Ok(()));
}

#[test]
fn a_station_without_any_memory_harms_nobody() {
    let none = Sizes { entries: 0, pending: 0, bytes: 0, messages: 0, events: 0 };
    let mut station = Station::settled_with(Config::new(OURS), none);
    assert_eq!(station.send(PEER_IP, b"?"), Err(SendError::Unresolved));
    assert_eq!(station.reply((PEER, PEER_IP)), Err(Discard::Unsolicited));
    assert_eq!(station.input(1, (PEER, PEER_IP), OUR_IP), Err(Discard::Busy));
    assert_eq!(station.arp.set_static(PEER_IP, PEER), Err(CacheFull));
    assert_eq!(station.reply((PEER, OUR_IP)), Err(Discard::Conflict));
    station.pass(Duration::from_secs(10));
    assert_eq!(station.arp.next_event(), None);
}

#[derive(Clone, Debug)]
enum Operation {
    Raw(Vec<u8>),
    Input { operation: u16, mac: u8, ip: u8, target: u8 },
    Send { to: u8, len: usize },
    Pass { millis: u64 },
    Static { ip: u8, set: bool },
    Address { ip: u8, add: bool, probe: bool },
    Capacity { frames: usize },
    Event,
}

fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Operation::Raw),
        6 => (0_u16..4, 0_u8..5, 0_u8..12, 0_u8..12)
            .prop_map(|(operation, mac, ip, target)| Operation::Input { operation, mac, ip, target }),
        8 => (0_u8..12, 0_usize..400).prop_map(|(to, len)| Operation::Send { to, len }),
        4 => (0_u64..3000).prop_map(|millis| Operation::Pass { millis }),
        1 => (0_u8..12, any::<bool>()).prop_map(|(ip, set)| Operation::Static { ip, set }),
        1 => (0_u8..12, any::<bool>(), any::<bool>())
            .prop_map(|(ip, add, probe)| Operation::Address { ip, add, probe }),
        1 => (0_usize..4).prop_map(|frames| Operation::Capacity { frames }),
        2 => Just(Operation::Event),
    ]
}

fn host(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, number)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_breaks_it_or_outgrows_its_memory(steps in prop::collection::vec(operations(), 0..200)) {
        let mut station = Station::settled_with(
            Config { max_unresolved: 4, max_pending: 3, ..Config::new(OURS) },
            Sizes { entries: 6, pending: 5, bytes: 1000, messages: 2, events: 3 },
        );
        for step in steps {
            match step {
                Operation::Raw(bytes) => _ = station.arp.input(station.now, &bytes, PEER),
                Operation::Input { operation, mac, ip, target } => {
                    _ = station.input(operation, (MacAddress([2, 0, 0, 0, 0, mac]), host(ip)), host(target));
                }
                Operation::Send { to, len } => _ = station.send(host(to), &vec![to; len]),
                Operation::Pass { millis } => {
                    station.now += Duration::from_millis(millis);
                    station.arp.handle_timeout(station.now);
                    _ = station.arp.poll_transmit(station.now, &mut station.link);
                    prop_assert!(station.arp.poll_timeout().is_none_or(|next| next > station.now));
                }
                Operation::Static { ip, set: true } => _ = station.arp.set_static(host(ip), OTHER),
                Operation::Static { ip, set: false } => _ = station.arp.remove_static(host(ip)),
                Operation::Address { ip, add: true, probe } => {
                    let claim = if probe { mirage_arp::Claim::Probe } else { mirage_arp::Claim::AtOnce };
                    _ = station.arp.add_address(station.now, host(ip), claim);
                }
                Operation::Address { ip, add: false, .. } => _ = station.arp.remove_address(host(ip)),
                Operation::Capacity { frames } => station.link.capacity = frames,
                Operation::Event => _ = station.arp.next_event(),
            }
            prop_assert!(station.arp.pending() <= 5);
            // Nobody gets what is for another: each packet is full of its target's number.
            for (_, bytes) in station.ip_sent() {
                prop_assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]));
            }
        }
        // Everything ends: no question stays open, no packet is kept for ever.
        station.link.capacity = usize::MAX;
        station.pass(Duration::from_secs(300));
        while station.arp.next_event().is_some() {}
        prop_assert_eq!(station.arp.pending(), 0);
        prop_assert_eq!(station.arp.poll_timeout(), None);
    }
}

#[test]
fn packets_follow_a_neighbour_that_moves_at_once() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    // Within the second in which a neighbour that was sent to is not looked up again.
    station.send(PEER_IP, b"one").unwrap();
    station.input(1, (OTHER, PEER_IP), PEER_IP).unwrap();
    station.send(PEER_IP, b"two").unwrap();
    station.pass(Duration::from_millis(1));
    station.send(PEER_IP, b"three").unwrap();
    let sent = station.ip_sent();
    let to: Vec<_> = sent.iter().map(|(mac, _)| *mac).collect();
    assert_eq!(to[to.len() - 3..], [PEER, OTHER, OTHER]);
}

#[test]
fn a_neighbour_that_is_sent_to_every_moment_still_expires_and_is_asked_again_before() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    let mut asked = 0;
    // Nobody answers: it serves for its twenty minutes and not a moment longer.
    for _ in 0..2 * 20 * 60 - 1 {
        station.pass(Duration::from_millis(500));
        station.send(PEER_IP, b"still there?").unwrap();
        let sent = station.link.sent.len();
        asked += sent - station.ip_sent().len();
    }
    assert_eq!(asked, 3, "asked again by unicast before it expires");
    station.pass(Duration::from_millis(500));
    station.send(PEER_IP, b"waits").unwrap();
    assert_eq!((station.ip_sent().len(), station.arp.pending()), (0, 1));
}
