//! Our own addresses: answering for them, claiming and defending them (RFC 5227).

mod station;

use core::net::Ipv4Addr;

use mirage_arp::{AddressesFull, Claim, Config, Discard, Event};
use mirage_clock::Duration;
use mirage_net::MacAddress;
use station::*;

fn probe(ip: Ipv4Addr) -> Wire {
    Wire { sender: (OURS, NOBODY), ..request(ip) }
}

fn announcement(ip: Ipv4Addr) -> Wire {
    Wire { sender: (OURS, ip), ..request(ip) }
}

fn fresh() -> Station {
    Station::with(Config::new(OURS), Sizes::default())
}

#[test]
fn a_broadcast_request_for_our_address_is_answered_to_its_sender_alone() {
    let mut station = Station::settled();
    station.input(1, (PEER, PEER_IP), OUR_IP).unwrap();
    assert!(station.arp.wants_transmit());
    station.transmit();
    let answer = Wire { to: PEER, operation: 2, sender: (OURS, OUR_IP), target: (PEER, PEER_IP) };
    assert_eq!(station.arp_sent(), [answer]);
}

#[test]
fn a_unicast_request_is_answered_too() {
    let mut station = Station::settled();
    let bytes = packet(1, (PEER, PEER_IP), (OURS, OUR_IP));
    station.arp.input(station.now, &bytes, PEER).unwrap();
    station.transmit();
    assert_eq!(station.arp_sent().len(), 1);
}

#[test]
fn a_request_for_somebody_else_is_not_answered() {
    let mut station = Station::settled();
    assert_eq!(station.input(1, (PEER, PEER_IP), Ipv4Addr::new(10, 0, 0, 77)), Err(Discard::NotForUs));
    station.transmit();
    assert_eq!(station.arp_sent(), []);
}

#[test]
fn a_probe_for_our_address_is_answered() {
    let mut station = Station::settled();
    station.input(1, (PEER, NOBODY), OUR_IP).unwrap();
    station.transmit();
    let answer = Wire { to: PEER, operation: 2, sender: (OURS, OUR_IP), target: (PEER, NOBODY) };
    assert_eq!(station.arp_sent(), [answer]);
    assert_eq!(station.arp.next_event(), None);
}

#[test]
fn answers_wait_in_a_bounded_queue_for_the_device() {
    let mut station = Station::settled();
    station.link.capacity = 0;
    for host in 0..4 {
        station.input(1, (PEER, Ipv4Addr::new(10, 0, 1, host)), OUR_IP).unwrap();
    }
    assert_eq!(station.input(1, (PEER, PEER_IP), OUR_IP), Err(Discard::Busy));
    station.link.capacity = usize::MAX;
    station.transmit();
    assert_eq!(station.arp_sent().len(), 4);
}

#[test]
fn an_address_that_is_ours_at_once_is_announced_twice() {
    let mut station = fresh();
    station.arp.add_address(station.now, OUR_IP, Claim::AtOnce).unwrap();
    assert!(station.arp.has_address(OUR_IP));
    station.transmit();
    assert_eq!(station.arp_sent(), [announcement(OUR_IP)]);
    station.pass(Duration::from_millis(1_999));
    assert_eq!(station.arp_sent(), []);
    station.pass(Duration::from_secs(60));
    assert_eq!(station.arp_sent(), [announcement(OUR_IP)]);
    assert_eq!(station.arp.poll_timeout(), None);
}

#[test]
fn claiming_twice_and_giving_up_twice_change_nothing() {
    let mut station = Station::settled();
    station.arp.add_address(station.now, OUR_IP, Claim::Probe).unwrap();
    assert!(station.arp.has_address(OUR_IP) && !station.arp.wants_transmit());
    assert!(station.arp.remove_address(OUR_IP));
    assert!(!station.arp.remove_address(OUR_IP));
    assert!(!station.arp.has_address(OUR_IP));
    assert_eq!(station.input(1, (PEER, PEER_IP), OUR_IP), Err(Discard::NotForUs));
}

#[test]
fn an_address_given_up_before_it_was_announced_is_not_announced() {
    let mut station = fresh();
    station.arp.add_address(station.now, OUR_IP, Claim::AtOnce).unwrap();
    station.arp.remove_address(OUR_IP);
    assert!(!station.arp.wants_transmit());
    station.pass(Duration::from_secs(60));
    assert_eq!(station.arp_sent(), []);
}

#[test]
fn an_address_too_many_is_refused() {
    let mut station = fresh();
    for host in 1..4 {
        station.arp.add_address(station.now, Ipv4Addr::new(10, 0, 0, host), Claim::AtOnce).unwrap();
    }
    assert_eq!(station.arp.add_address(station.now, Ipv4Addr::new(10, 0, 0, 4), Claim::AtOnce), Err(AddressesFull));
}

#[test]
fn a_probed_address_is_asked_for_three_times_and_then_announced() {
    let mut station = fresh();
    let start = station.now;
    station.arp.add_address(start, OUR_IP, Claim::Probe).unwrap();
    let mut sent = Vec::new();
    while let Some(next) = station.arp.poll_timeout() {
        station.now = next;
        station.arp.handle_timeout(next);
        station.transmit();
        sent.extend(station.arp_sent().into_iter().map(|wire| (next, wire)));
        let ours = sent.len() > 3;
        assert_eq!(station.arp.has_address(OUR_IP), ours);
        assert_eq!(station.arp.next_event(), (sent.len() == 4).then_some(Event::Ready(OUR_IP)));
    }
    let wires: Vec<_> = sent.iter().map(|&(_, wire)| wire).collect();
    let (p, a) = (probe(OUR_IP), announcement(OUR_IP));
    assert_eq!(wires, [p, p, p, a, a]);
    let times: Vec<_> = sent.iter().map(|&(at, _)| at).collect();
    assert!(times[0] - start <= Duration::from_secs(1));
    for pair in times[..3].windows(2) {
        let wait = pair[1] - pair[0];
        assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(2), "{wait}");
    }
    assert_eq!((times[3] - times[2], times[4] - times[3]), (Duration::from_secs(2), Duration::from_secs(2)));
}

#[test]
fn an_address_that_is_being_probed_is_not_answered_for() {
    let mut station = fresh();
    station.arp.add_address(station.now, OUR_IP, Claim::Probe).unwrap();
    assert_eq!(station.input(1, (PEER, PEER_IP), OUR_IP), Err(Discard::NotForUs));
    station.transmit();
    assert_eq!(station.arp_sent(), []);
}

#[test]
fn an_address_that_somebody_has_is_not_taken() {
    let mut station = fresh();
    station.arp.add_address(station.now, OUR_IP, Claim::Probe).unwrap();
    station.pass(Duration::from_secs(1));
    assert_eq!(station.reply((PEER, OUR_IP)), Err(Discard::Conflict));
    assert_eq!(station.arp.next_event(), Some(Event::Conflict { ip: OUR_IP, mac: PEER }));
    station.link.sent.clear();
    station.pass(Duration::from_secs(60));
    assert_eq!(station.arp_sent(), []);
    assert!(!station.arp.has_address(OUR_IP));
}

#[test]
fn an_address_that_somebody_else_probes_at_the_same_time_is_not_taken() {
    let mut station = fresh();
    station.arp.add_address(station.now, OUR_IP, Claim::Probe).unwrap();
    station.pass(Duration::from_secs(2));
    assert_eq!(station.input(1, (PEER, NOBODY), OUR_IP), Err(Discard::Conflict));
    assert_eq!(station.arp.next_event(), Some(Event::Conflict { ip: OUR_IP, mac: PEER }));
}

#[test]
fn our_own_probe_that_comes_back_is_no_conflict() {
    let mut station = fresh();
    station.arp.add_address(station.now, OUR_IP, Claim::Probe).unwrap();
    station.pass(Duration::from_secs(1));
    assert_eq!(station.input(1, (OURS, NOBODY), OUR_IP), Err(Discard::OwnPacket));
    assert_eq!(station.arp.next_event(), None);
}

/// Probes an address that somebody has; how long it was until the first probe.
fn probe_in_vain(station: &mut Station) -> Duration {
    let ip = Ipv4Addr::new(169, 254, 7, 7);
    station.arp.add_address(station.now, ip, Claim::Probe).unwrap();
    let wait = station.arp.poll_timeout().unwrap() - station.now;
    station.pass(wait);
    assert_eq!(station.reply((PEER, ip)), Err(Discard::Conflict));
    wait
}

#[test]
fn after_ten_conflicts_probing_slows_down() {
    let mut station = fresh();
    for _ in 0..10 {
        assert!(probe_in_vain(&mut station) <= Duration::from_secs(1));
    }
    assert!(probe_in_vain(&mut station) >= Duration::from_secs(60));
}

#[test]
fn an_address_that_nobody_has_ends_the_count_of_conflicts() {
    let mut station = fresh();
    for _ in 0..9 {
        probe_in_vain(&mut station);
    }
    station.arp.add_address(station.now, OUR_IP, Claim::Probe).unwrap();
    station.pass(Duration::from_secs(20));
    assert!(station.arp.has_address(OUR_IP));
    for _ in 0..3 {
        assert!(probe_in_vain(&mut station) <= Duration::from_secs(1));
    }
}

#[test]
fn an_address_in_use_is_defended_at_most_once_in_ten_seconds() {
    let mut station = Station::settled();
    for _ in 0..5 {
        assert_eq!(station.reply((OTHER, OUR_IP)), Err(Discard::Conflict));
        station.transmit();
        station.pass(Duration::from_secs(1));
    }
    assert_eq!(station.arp_sent(), [announcement(OUR_IP)]);
    assert_eq!(station.arp.next_event(), Some(Event::Conflict { ip: OUR_IP, mac: OTHER }));
    assert_eq!(station.arp.next_event(), None);
    station.pass(Duration::from_secs(5));
    assert_eq!(station.input(1, (OTHER, OUR_IP), PEER_IP), Err(Discard::Conflict));
    station.transmit();
    assert_eq!(station.arp_sent(), [announcement(OUR_IP)]);
    assert!(station.arp.has_address(OUR_IP));
    assert_eq!(station.arp.lookup(station.now, OUR_IP), None, "the other is not learnt");
}

#[test]
fn a_proxy_answers_for_all_the_rest_of_the_world() {
    let mut station = Station::settled_with(Config { answer_for_all: true, ..Config::new(OURS) }, Sizes::default());
    let far = Ipv4Addr::new(192, 0, 2, 80);
    station.input(1, (PEER, PEER_IP), far).unwrap();
    station.transmit();
    assert_eq!(station.arp_sent()[0].sender, (OURS, far));
    // Neither to announcements nor to probes: the asker wants that address for itself.
    assert_eq!(station.input(1, (PEER, PEER_IP), PEER_IP), Err(Discard::NotForUs));
    assert_eq!(station.input(1, (PEER, NOBODY), PEER_IP), Err(Discard::NotForUs));
    assert!(!station.arp.wants_transmit());
}

#[test]
fn a_station_without_an_address_asks_as_nobody() {
    let mut station = fresh();
    station.send(PEER_IP, b"?").unwrap();
    station.transmit();
    assert_eq!(station.arp_sent(), [probe(PEER_IP)]);
    station.input(2, (PEER, PEER_IP), NOBODY).unwrap();
    assert_eq!(station.arp.lookup(station.now, PEER_IP), Some(PEER));
}

#[test]
fn requests_go_to_everybody_and_name_nobody() {
    let mut station = Station::settled();
    station.send(PEER_IP, b"?").unwrap();
    station.transmit();
    let [asked] = station.arp_sent()[..] else { panic!("one request") };
    assert_eq!((asked.to, asked.target.0), (MacAddress::BROADCAST, MacAddress::UNSPECIFIED));
}
