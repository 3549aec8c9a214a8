//! Finding neighbours and keeping what is sent meanwhile.

mod station;

use core::net::Ipv4Addr;

use mirage_arp::{Config, Event};
use mirage_clock::Duration;
use mirage_net::{MacAddress, PartialChecksum, SendError};
use mirage_protocols::{EtherType, HopPacket, InterfaceId, Neighbours, NextHop};
use station::*;

#[test]
fn the_first_packet_is_not_lost() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"first").unwrap();
    station.transmit();
    assert_eq!(station.arp_sent(), [request(PEER_IP)]);
    station.now += Duration::from_millis(3);
    station.reply((PEER, PEER_IP)).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent(), [(PEER, b"first".to_vec())]);
    assert_eq!((station.arp.pending(), station.arp.dropped()), (0, 0));
}

#[test]
fn packets_to_a_known_neighbour_go_straight_out() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    station.send(PEER_IP, b"second").unwrap();
    assert_eq!(station.ip_sent(), [(PEER, b"second".to_vec())]);
    assert!(!station.arp.wants_transmit());
}

#[test]
fn what_waited_goes_before_what_comes_later() {
    let mut station = Station::settled();
    for text in [&b"one"[..], b"two", b"three"] {
        station.send(PEER_IP, text).unwrap();
    }
    station.transmit();
    station.reply((PEER, PEER_IP)).unwrap();
    station.send(PEER_IP, b"four").unwrap();
    let sent: Vec<_> = station.ip_sent().into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(sent, [&b"one"[..], b"two", b"three", b"four"]);
}

#[test]
fn a_packet_that_waited_keeps_its_orders_for_the_device() {
    let mut station = Station::settled();
    let checksum = Some(PartialChecksum { start: 20, offset: 6 });
    let packet = HopPacket { to: NextHop::Neighbour(PEER_IP), len: 4, checksum, segment_size: None };
    station.arp.send(station.now, packet, EtherType(0x88b5), &mut station.link, |frame| frame.put(b"abcd")).unwrap();
    station.reply((PEER, PEER_IP)).unwrap();
    station.transmit();
    let sent = station.link.sent.pop_front().unwrap().packet;
    assert_eq!((sent.destination, sent.ethertype, sent.checksum), (PEER, EtherType(0x88b5), checksum));
}

#[test]
fn a_silent_target_is_asked_three_times_and_then_given_up() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"anybody?").unwrap();
    station.pass(Duration::from_millis(2_999));
    assert_eq!(station.arp_sent(), [request(PEER_IP); 3]);
    assert_eq!(station.arp.next_event(), None);
    station.pass(Duration::from_millis(1));
    assert_eq!(station.arp_sent(), []);
    assert_eq!(station.arp.next_event(), Some(Event::Unresolved(PEER_IP)));
    assert_eq!((station.arp.next_event(), station.arp.pending()), (None, 0));
    assert_eq!(station.arp.poll_timeout(), None);
}

#[test]
fn senders_learn_that_a_target_is_unreachable_and_may_try_again_later() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"anybody?").unwrap();
    station.pass(Duration::from_secs(3));
    assert_eq!(station.send(PEER_IP, b"again"), Err(SendError::Unresolved));
    station.link.sent.clear();
    station.pass(Duration::from_secs(3));
    assert_eq!(station.arp_sent(), [], "nobody asked");
    assert_eq!(station.send(PEER_IP, b"again"), Ok(()));
    station.pass(Duration::from_secs(10));
    assert_eq!(station.arp_sent(), [request(PEER_IP); 3]);
}

#[test]
fn the_report_of_an_unreachable_target_lends_the_first_packet() {
    let mut station = Station::settled();
    for text in [&b"one"[..], b"two"] {
        station.send(PEER_IP, text).unwrap();
    }
    station.pass(Duration::from_secs(3));
    let seen = station.arp.poll_event(|event, packet| {
        let packet = packet.unwrap();
        assert_eq!(packet.ethertype, EtherType::IPV4);
        (event, packet.bytes.to_vec())
    });
    assert_eq!(seen, Some((Event::Unresolved(PEER_IP), b"one".to_vec())));
    assert_eq!(station.arp.pending(), 0);
}

#[test]
fn each_target_is_asked_once_a_second_however_many_packets_wait() {
    let mut station = Station::settled();
    let targets: Vec<_> = (2..12).map(|host| Ipv4Addr::new(10, 0, 0, host)).collect();
    for _ in 0..20 {
        for &target in &targets {
            station.send(target, b"packet").unwrap();
        }
        station.pass(Duration::from_millis(100));
    }
    // Two seconds: no target is kept waiting by the others.
    let sent = station.arp_sent();
    for &target in &targets {
        assert_eq!(sent.iter().filter(|sent| sent.target.1 == target).count(), 3, "{target}");
    }
}

#[test]
fn an_entry_in_use_is_refreshed_by_unicast_while_it_serves() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    station.pass(Duration::from_secs(20 * 60 - 30) - Duration::from_nanos(1));
    station.send(PEER_IP, b"early").unwrap();
    station.transmit();
    assert_eq!(station.ip_sent().len(), 1);
    station.pass(Duration::from_nanos(1));
    station.send(PEER_IP, b"serves").unwrap();
    assert_eq!(station.ip_sent(), [(PEER, b"serves".to_vec())]);
    station.transmit();
    let [asked] = station.arp_sent()[..] else { panic!("one request") };
    assert_eq!((asked.to, asked.operation, asked.sender, asked.target.1), (PEER, 1, (OURS, OUR_IP), PEER_IP));
    station.reply((PEER, PEER_IP)).unwrap();
    // Its life starts anew.
    station.pass(Duration::from_secs(600));
    station.send(PEER_IP, b"still").unwrap();
    assert_eq!(station.ip_sent(), [(PEER, b"still".to_vec())]);
}

#[test]
fn a_refresh_without_answer_is_repeated_each_second_at_most_three_times() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    station.pass(Duration::from_secs(20 * 60 - 30));
    for _ in 0..100 {
        station.send(PEER_IP, b"busy").unwrap();
        station.pass(Duration::from_millis(100));
    }
    let asked = station.link.sent.iter().filter(|sent| sent.packet.ethertype == EtherType::ARP).count();
    assert_eq!(asked, 3);
}

#[test]
fn an_entry_expires_and_is_asked_for_again() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    station.pass(Duration::from_secs(20 * 60) - Duration::from_nanos(1));
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER));
    station.pass(Duration::from_nanos(1));
    assert_eq!(station.arp.lookup(station.now, PEER_IP), None);
    assert_eq!(station.arp_sent(), [], "nobody used it");
    station.send(PEER_IP, b"waits").unwrap();
    station.transmit();
    assert_eq!(station.arp_sent(), [request(PEER_IP)]);
    station.reply((OTHER, PEER_IP)).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent(), [(OTHER, b"waits".to_vec())]);
}

#[test]
fn a_late_answer_still_counts() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"lost").unwrap();
    station.pass(Duration::from_secs(4));
    station.reply((PEER, PEER_IP)).unwrap();
    station.link.sent.clear();
    station.send(PEER_IP, b"goes").unwrap();
    assert_eq!(station.ip_sent(), [(PEER, b"goes".to_vec())]);
}

#[test]
fn what_does_not_fit_the_device_is_sent_later() {
    let mut station = Station::settled();
    station.link.capacity = 0;
    station.send(PEER_IP, b"waits").unwrap();
    assert_eq!(station.arp.poll_transmit(station.now, &mut station.link), Err(SendError::Full));
    assert!(station.arp.wants_transmit());
    station.link.capacity = 1;
    station.transmit();
    assert_eq!(station.arp_sent(), [request(PEER_IP)]);
    station.send(PEER_IP, b"too").unwrap();
    station.reply((PEER, PEER_IP)).unwrap();
    assert_eq!(station.arp.poll_transmit(station.now, &mut station.link), Err(SendError::Full));
    assert_eq!(station.ip_sent(), [(PEER, b"waits".to_vec())]);
    station.transmit();
    assert_eq!(station.ip_sent(), [(PEER, b"too".to_vec())]);
}

#[test]
fn a_full_device_is_told_before_the_packet_is_written() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    station.link.capacity = 0;
    let packet = HopPacket { to: NextHop::Neighbour(PEER_IP), len: 4, checksum: None, segment_size: None };
    let sent = station.arp.send(station.now, packet, EtherType::IPV4, &mut station.link, |_| panic!("no buffer"));
    assert_eq!(sent, Err(SendError::Full));
}

#[test]
fn a_packet_that_writes_more_than_it_said_is_refused_and_the_next_passes() {
    let mut station = Station::settled();
    let packet = HopPacket { to: NextHop::Neighbour(PEER_IP), len: 4, checksum: None, segment_size: None };
    let sent = station.arp.send(station.now, packet, EtherType::IPV4, &mut station.link, |frame| frame.put(b"12345"));
    assert_eq!(sent, Err(SendError::TooLong));
    station.send(PEER_IP, b"1234").unwrap();
    station.reply((PEER, PEER_IP)).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent(), [(PEER, b"1234".to_vec())]);
}

#[test]
fn a_packet_longer_than_the_mtu_does_not_wait() {
    let mut station = Station::settled();
    assert_eq!(station.send(PEER_IP, &[0; 1501]), Err(SendError::TooLong));
    assert_eq!(station.arp.pending(), 0);
}

#[test]
fn a_station_without_memory_for_packets_still_asks() {
    let mut station = Station::settled_with(Config::new(OURS), Sizes { pending: 0, bytes: 0, ..Sizes::default() });
    assert_eq!(station.send(PEER_IP, b"lost"), Err(SendError::Unresolved));
    station.transmit();
    assert_eq!(station.arp_sent(), [request(PEER_IP)]);
    station.reply((PEER, PEER_IP)).unwrap();
    assert_eq!(station.send(PEER_IP, b"goes"), Ok(()));
}

#[test]
fn groups_and_everybody_need_no_answer() {
    let mut station = Station::settled();
    let mut over = station.arp.over(station.now, &mut station.link);
    assert_eq!(over.mtu(InterfaceId(0)), 1500);
    for to in [NextHop::Group(Ipv4Addr::new(224, 0, 0, 251)), NextHop::Broadcast] {
        let packet = HopPacket { to, len: 2, checksum: None, segment_size: None };
        over.send(InterfaceId(0), packet, |frame| frame.put(b"hi")).unwrap();
    }
    let sent: Vec<_> = station.ip_sent().into_iter().map(|(to, _)| to).collect();
    assert_eq!(sent, [MacAddress([1, 0, 0x5e, 0, 0, 251]), MacAddress::BROADCAST]);
}

#[test]
fn nobody_is_asked_for_an_address_that_no_neighbour_can_have() {
    let mut station = Station::settled();
    for target in [OUR_IP, NOBODY, Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        assert_eq!(station.send(target, b"?"), Err(SendError::Unresolved), "{target}");
    }
    station.transmit();
    assert_eq!(station.arp_sent(), []);
}

#[test]
fn the_address_of_ours_on_the_targets_network_asks() {
    let mut station = Station::settled();
    let second = Ipv4Addr::new(192, 168, 7, 1);
    station.arp.add_address(station.now, second, mirage_arp::Claim::AtOnce).unwrap();
    station.transmit();
    station.link.sent.clear();
    station.send(Ipv4Addr::new(192, 168, 7, 99), b"?").unwrap();
    station.send(PEER_IP, b"?").unwrap();
    station.transmit();
    let senders: Vec<_> = station.arp_sent().iter().map(|sent| sent.sender.1).collect();
    assert_eq!(senders, [second, OUR_IP]);
}

#[test]
fn a_static_neighbour_needs_no_question_and_never_expires() {
    let mut station = Station::settled();
    station.arp.set_static(PEER_IP, PEER).unwrap();
    station.pass(Duration::from_secs(100_000));
    station.send(PEER_IP, b"goes").unwrap();
    assert_eq!(station.ip_sent(), [(PEER, b"goes".to_vec())]);
    assert!(station.arp.remove_static(PEER_IP));
    assert!(!station.arp.remove_static(PEER_IP));
    station.send(PEER_IP, b"waits").unwrap();
    station.transmit();
    assert_eq!(station.arp_sent(), [request(PEER_IP)]);
}

#[test]
fn a_neighbour_set_by_hand_while_asked_for_releases_its_packets() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"waits").unwrap();
    station.transmit();
    station.link.sent.clear();
    station.arp.set_static(PEER_IP, OTHER).unwrap();
    station.pass(Duration::from_secs(10));
    assert_eq!(station.ip_sent(), [(OTHER, b"waits".to_vec())]);
    assert_eq!(station.arp.next_event(), None);
}

#[test]
fn a_dynamic_neighbour_is_not_removed_as_a_static_one() {
    let mut station = Station::settled();
    station.meet(PEER, PEER_IP);
    assert!(!station.arp.remove_static(PEER_IP));
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER));
}

#[test]
fn neighbours_and_questions_survive_a_change_of_address() {
    let mut station = Station::settled();
    let (waiting, new) = (Ipv4Addr::new(10, 0, 0, 3), Ipv4Addr::new(10, 0, 0, 9));
    station.meet(PEER, PEER_IP);
    station.send(waiting, b"waits").unwrap();
    station.transmit();
    assert!(station.arp.remove_address(OUR_IP));
    station.arp.add_address(station.now, new, mirage_arp::Claim::AtOnce).unwrap();
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER));
    station.transmit();
    station.link.sent.clear();
    station.reply((OTHER, waiting)).unwrap();
    station.transmit();
    assert_eq!(station.ip_sent(), [(OTHER, b"waits".to_vec())]);

    // And one that nobody answers still ends.
    station.send(OUR_IP, b"gone").unwrap();
    station.arp.remove_address(new);
    station.pass(Duration::from_secs(10));
    assert_eq!(station.arp.next_event(), Some(Event::Unresolved(OUR_IP)));
}
