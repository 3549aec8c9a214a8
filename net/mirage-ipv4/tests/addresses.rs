//! For whom a packet is and who can have sent it.

mod common;

use core::net::Ipv4Addr;

use common::*;
use mirage_ipv4::{Config, Discard, TableFull};
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, InterfaceId};

fn cast_on(
    host: &mut mirage_ipv4::Ipv4<'_>,
    interface: InterfaceId,
    link_cast: Cast,
    source: &str,
    destination: &str,
) -> Result<Cast, Discard> {
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    let bytes = Raw { source, destination, ..Raw::default() }.bytes();
    let incoming = host.input(secs(1), interface, link_cast, &bytes, ReceivedChecksum::Unchecked, None)?;
    Ok(incoming.unwrap().received.cast)
}

fn cast(source: &str, destination: &str) -> Result<Cast, Discard> {
    let broadcast = destination.ends_with("255");
    let link_cast = if broadcast { Cast::Broadcast } else { Cast::Unicast };
    cast_on(&mut host(), FIRST, link_cast, source, destination)
}

#[test]
fn our_address_and_both_broadcasts_are_for_us() {
    assert_eq!(cast("10.0.0.1", "10.0.0.2"), Ok(Cast::Unicast));
    assert_eq!(cast("192.0.2.7", "10.0.0.2"), Ok(Cast::Unicast));
    assert_eq!(cast("10.0.0.1", "10.0.0.255"), Ok(Cast::Broadcast));
    assert_eq!(cast("10.0.0.1", "255.255.255.255"), Ok(Cast::Broadcast));
}

#[test]
fn another_address_is_not_for_us() {
    for destination in ["10.0.0.3", "10.0.0.0", "10.0.1.255", "127.0.0.1", "0.0.0.0", "224.0.0.251", "240.0.0.1"] {
        assert_eq!(cast("10.0.0.1", destination), Err(Discard::NotForUs), "{destination}");
    }
}

#[test]
fn a_source_that_is_no_station_is_refused() {
    for source in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"] {
        assert_eq!(cast(source, "10.0.0.2"), Err(Discard::BadSource), "{source}");
    }
    assert_eq!(cast("10.0.0.255", "10.0.0.2"), Err(Discard::BadSource));
    assert_eq!(cast("10.0.1.255", "10.0.0.2"), Ok(Cast::Unicast), "another network's broadcast is unknown");
}

#[test]
fn nobody_may_speak_to_everybody() {
    assert_eq!(cast("0.0.0.0", "255.255.255.255"), Ok(Cast::Broadcast));
}

#[test]
fn land_a_packet_from_ourselves_is_refused() {
    assert_eq!(cast("10.0.0.2", "10.0.0.2"), Err(Discard::OwnSource));
    assert_eq!(cast("10.0.0.2", "10.0.0.255"), Err(Discard::OwnSource));
}

#[test]
fn land_does_not_depend_on_the_order_of_our_addresses() {
    let mut host = host();
    host.add_address(SECOND, cidr("10.9.0.1/24")).unwrap();
    assert_eq!(cast_on(&mut host, FIRST, Cast::Unicast, "10.9.0.1", "10.0.0.2"), Err(Discard::OwnSource));
    assert_eq!(cast_on(&mut host, FIRST, Cast::Unicast, "10.0.0.2", "10.9.0.1"), Err(Discard::OwnSource));
}

#[test]
fn who_was_let_in_is_examined_again_when_our_addresses_change() {
    let mut host = host();
    let hear = |host: &mut _| cast_on(host, FIRST, Cast::Unicast, "10.0.0.1", "10.0.0.2");
    assert_eq!(hear(&mut host), Ok(Cast::Unicast));
    host.add_address(SECOND, cidr("10.0.0.1/24")).unwrap();
    assert_eq!(hear(&mut host), Err(Discard::OwnSource));
    assert!(host.remove_address(SECOND, "10.0.0.1".parse().unwrap()));
    assert_eq!(hear(&mut host), Ok(Cast::Unicast));
    assert!(host.remove_address(FIRST, US));
    assert_eq!(hear(&mut host), Err(Discard::NotForUs));
}

#[test]
fn a_unicast_packet_in_a_broadcast_frame_is_refused() {
    assert_eq!(give_broadcast(&mut host(), &Raw::default()), Err(Discard::UnicastInBroadcast));
}

#[test]
fn before_there_is_an_address_only_broadcasts_come_up() {
    let mut bare = bare(Config::default(), 0, 0, 0);
    assert_eq!(cast_on(&mut bare, FIRST, Cast::Broadcast, "10.0.0.1", "255.255.255.255"), Ok(Cast::Broadcast));
    assert_eq!(cast_on(&mut bare, FIRST, Cast::Unicast, "10.0.0.1", "10.0.0.2"), Err(Discard::NotForUs));
}

#[test]
fn a_group_is_heard_where_it_was_joined_until_it_is_left() {
    let mut host = host();
    let group = Ipv4Addr::new(224, 0, 0, 251);
    let hear = |host: &mut _, interface| cast_on(host, interface, Cast::Multicast, "10.0.0.1", "224.0.0.251");
    assert_eq!(hear(&mut host, FIRST), Err(Discard::NotForUs));
    host.join(FIRST, group).unwrap();
    host.join(FIRST, group).unwrap();
    assert_eq!(hear(&mut host, FIRST), Ok(Cast::Multicast));
    assert_eq!(hear(&mut host, SECOND), Err(Discard::NotForUs));
    assert!(host.leave(FIRST, group));
    assert!(!host.leave(FIRST, group));
    assert_eq!(hear(&mut host, FIRST), Err(Discard::NotForUs));
}

#[test]
fn the_group_of_all_systems_needs_no_joining() {
    assert_eq!(cast_on(&mut host(), FIRST, Cast::Multicast, "10.0.0.1", "224.0.0.1"), Ok(Cast::Multicast));
}

#[test]
fn a_networks_broadcast_counts_on_its_own_interface_only() {
    assert_eq!(cast_on(&mut host(), SECOND, Cast::Broadcast, "10.0.0.1", "10.0.0.255"), Err(Discard::NotForUs));
}

#[test]
fn an_address_is_ours_on_whatever_interface() {
    assert_eq!(cast_on(&mut host(), SECOND, Cast::Unicast, "10.0.0.1", "10.0.0.2"), Ok(Cast::Unicast));
}

#[test]
fn networks_of_31_and_32_bits_have_no_broadcast() {
    let mut bare = bare(Config::default(), 0, 0, 0);
    bare.add_address(FIRST, cidr("10.1.0.0/31")).unwrap();
    bare.add_address(FIRST, cidr("10.2.0.255/32")).unwrap();
    assert_eq!(cast_on(&mut bare, FIRST, Cast::Unicast, "10.1.0.1", "10.1.0.0"), Ok(Cast::Unicast));
    assert_eq!(cast_on(&mut bare, FIRST, Cast::Unicast, "10.1.0.1", "10.2.0.255"), Ok(Cast::Unicast));
}

#[test]
fn a_gateway_takes_what_is_for_others_but_no_nonsense() {
    let mut gateway = host_with(Config { accept_any: true, ..Config::default() }, 0, 0);
    let mut cast = |destination| cast_on(&mut gateway, FIRST, Cast::Unicast, "10.0.0.1", destination);
    assert_eq!(cast("192.0.2.1"), Ok(Cast::Unicast));
    assert_eq!(cast("10.0.0.2"), Ok(Cast::Unicast));
    for destination in ["127.0.0.1", "0.0.0.0", "224.0.0.251", "240.0.0.1"] {
        assert_eq!(cast(destination), Err(Discard::NotForUs), "{destination}");
    }
}

#[test]
fn addresses_come_and_go_and_the_table_has_an_end() {
    let mut host = host();
    for last in 1..4 {
        host.add_address(FIRST, cidr(&format!("10.{last}.0.2/24"))).unwrap();
    }
    assert_eq!(host.add_address(FIRST, cidr("10.9.0.2/24")), Err(TableFull));
    // Another prefix for an address is no second address.
    host.add_address(FIRST, cidr("10.0.0.2/16")).unwrap();
    assert!(host.is_local(US));
    assert!(host.remove_address(FIRST, US));
    assert!(!host.remove_address(FIRST, US));
    assert!(!host.is_local(US));
    let left: Vec<_> = host.addresses().map(|address| address.cidr.to_string()).collect();
    assert_eq!(left, ["10.1.0.2/24", "10.2.0.2/24", "10.3.0.2/24"]);
}
