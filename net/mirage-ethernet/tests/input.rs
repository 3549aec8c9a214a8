//! Which frames are taken, and how they are taken apart.

use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use mirage_ethernet::{Discard, Ethernet, GroupsFull, Incoming, VlanId, multicast_mac};
use mirage_net::{Frame, MacAddress, ReceivedChecksum};
use mirage_protocols::{Cast, EtherType};
use proptest::prelude::*;

const OURS: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const PEER: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);
const GROUP: MacAddress = MacAddress([1, 0, 0x5e, 0, 0, 9]);

fn frame(destination: MacAddress, source: MacAddress, rest: &[u8]) -> Vec<u8> {
    [&destination.octets()[..], &source.octets(), rest].concat()
}

fn input(station: &Ethernet<'_>, bytes: &[u8]) -> Result<(Cast, u16, Vec<u8>), Discard> {
    station
        .input(&Frame::new(bytes))
        .map(|Incoming { cast, ethertype, payload, .. }| (cast, ethertype.0, payload.to_vec()))
}

fn station(vlan: Option<u16>) -> Ethernet<'static> {
    Ethernet::new(OURS, vlan.and_then(VlanId::new), &mut [][..])
}

#[test]
fn a_frame_to_us_is_taken_whole() {
    let bytes = frame(OURS, PEER, &[0x08, 0x00, 1, 2, 3]);
    let frame = Frame { bytes: &bytes, checksum: ReceivedChecksum::Partial, segment_size: NonZeroU16::new(1448) };
    let taken = station(None).input(&frame).unwrap();
    assert_eq!((taken.source, taken.destination, taken.cast), (PEER, OURS, Cast::Unicast));
    assert_eq!((taken.ethertype, taken.payload), (EtherType::IPV4, &[1, 2, 3][..]));
    assert_eq!((taken.checksum, taken.segment_size), (ReceivedChecksum::Partial, NonZeroU16::new(1448)));
}

#[test]
fn trailing_bytes_pass_through() {
    let padded = frame(OURS, PEER, &[&[0x08, 0x06][..], &[7; 28], &[0; 18]].concat());
    assert_eq!(input(&station(None), &padded).unwrap().2.len(), 46);
}

#[test]
fn everybody_is_us_too() {
    let bytes = frame(MacAddress::BROADCAST, PEER, &[0x08, 0x06]);
    assert_eq!(input(&station(None), &bytes), Ok((Cast::Broadcast, 0x0806, vec![])));
}

#[test]
fn frames_to_others_are_not_taken() {
    let others = [MacAddress([2, 0, 0, 0, 0, 3]), GROUP, MacAddress::UNSPECIFIED];
    for other in others {
        assert_eq!(input(&station(None), &frame(other, PEER, &[8, 0])), Err(Discard::NotForUs), "{other}");
    }
}

#[test]
fn a_group_is_taken_while_it_is_joined() {
    let mut slots = [None; 1];
    let mut station = Ethernet::new(OURS, None, &mut slots[..]);
    let bytes = frame(GROUP, PEER, &[8, 0]);
    assert_eq!(input(&station, &bytes), Err(Discard::NotForUs));
    station.join(GROUP).unwrap();
    station.join(GROUP).unwrap();
    assert_eq!(input(&station, &bytes), Ok((Cast::Multicast, 0x0800, vec![])));
    station.leave(GROUP);
    assert!(input(&station, &bytes).is_ok(), "joined twice, left once");
    station.leave(GROUP);
    assert_eq!(input(&station, &bytes), Err(Discard::NotForUs));
    station.leave(GROUP);
    station.join(GROUP).unwrap();
    assert!(input(&station, &bytes).is_ok());
}

#[test]
fn a_group_too_many_is_refused() {
    let mut slots = [None; 2];
    let mut station = Ethernet::new(OURS, None, &mut slots[..]);
    let groups = [1, 2, 3].map(|last| MacAddress([1, 0, 0x5e, 0, 0, last]));
    assert_eq!(groups.map(|group| station.join(group)), [Ok(()), Ok(()), Err(GroupsFull)]);
    station.leave(groups[0]);
    assert_eq!(station.join(groups[2]), Ok(()));
    assert!(input(&station, &frame(groups[1], PEER, &[8, 0])).is_ok());
}

#[test]
fn a_group_or_nobody_cannot_be_the_source() {
    for source in [GROUP, MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
        assert_eq!(input(&station(None), &frame(OURS, source, &[8, 0])), Err(Discard::SourceNotUnicast), "{source}");
    }
}

#[test]
fn frames_with_a_length_are_not_taken() {
    assert_eq!(input(&station(None), &frame(OURS, PEER, &[0x05, 0xff])), Err(Discard::LengthField));
    assert!(input(&station(None), &frame(OURS, PEER, &[0x06, 0x00])).is_ok());
    assert_eq!(input(&station(Some(5)), &frame(OURS, PEER, &[0x05, 0xff])), Err(Discard::LengthField));
    let tagged = frame(OURS, PEER, &[0x81, 0x00, 0, 5, 0x05, 0xff]);
    assert_eq!(input(&station(Some(5)), &tagged), Err(Discard::LengthField));
}

#[test]
fn a_station_on_a_virtual_lan_takes_its_tag_off_and_no_other() {
    let tagged = |vlan: u16| frame(OURS, PEER, &[&[0x81, 0x00][..], &vlan.to_be_bytes(), &[8, 0, 42]].concat());
    let station = station(Some(100));
    assert_eq!(input(&station, &tagged(100)), Ok((Cast::Unicast, 0x0800, vec![42])));
    assert_eq!(input(&station, &tagged(0xe000 | 100)), Ok((Cast::Unicast, 0x0800, vec![42])), "with a priority");
    assert_eq!(input(&station, &tagged(0xa000)), Ok((Cast::Unicast, 0x0800, vec![42])), "a priority alone");
    assert_eq!(input(&station, &tagged(101)), Err(Discard::OtherVlan));
    assert_eq!(input(&station, &frame(OURS, PEER, &[8, 0])), Err(Discard::Untagged));
}

#[test]
fn a_station_without_a_virtual_lan_takes_only_priorities() {
    let tagged = |vlan: u16| frame(OURS, PEER, &[&[0x81, 0x00][..], &vlan.to_be_bytes(), &[8, 0, 42]].concat());
    assert_eq!(input(&station(None), &tagged(0x6000)), Ok((Cast::Unicast, 0x0800, vec![42])));
    assert_eq!(input(&station(None), &tagged(100)), Err(Discard::OtherVlan));
}

#[test]
fn two_tags_are_too_many() {
    let twice = frame(OURS, PEER, &[0x81, 0, 0, 5, 0x81, 0, 0, 5, 8, 0]);
    assert_eq!(input(&station(Some(5)), &twice), Err(Discard::OtherVlan));
}

#[test]
fn a_header_cut_short_is_discarded_at_every_length() {
    let tagged = frame(OURS, PEER, &[0x81, 0, 0, 5, 8, 0]);
    for len in 0..tagged.len() {
        assert_eq!(input(&station(Some(5)), &tagged[..len]), Err(Discard::TooShort), "{len} bytes");
    }
    assert!(input(&station(Some(5)), &tagged).is_ok());
}

#[test]
fn vlan_numbers_are_1_to_4094() {
    assert_eq!([0, 4095, u16::MAX].map(VlanId::new), [None; 3]);
    assert_eq!([1, 4094].map(|id| VlanId::new(id).map(VlanId::number)), [Some(1), Some(4094)]);
}

#[test]
fn groups_have_the_addresses_of_rfc_1112() {
    assert_eq!(multicast_mac(Ipv4Addr::new(224, 0, 0, 251)).to_string(), "01:00:5e:00:00:fb");
    assert_eq!(multicast_mac(Ipv4Addr::new(239, 255, 1, 2)).to_string(), "01:00:5e:7f:01:02");
    assert_eq!(multicast_mac(Ipv4Addr::new(224, 128, 1, 2)), multicast_mac(Ipv4Addr::new(225, 0, 1, 2)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_is_taken_or_discarded(
        to_us: bool, vlan in prop::option::of(1_u16..4095), rest in prop::collection::vec(any::<u8>(), 0..40)
    ) {
        let bytes = if to_us { frame(OURS, PEER, &rest) } else { rest };
        if let Ok((_, ethertype, payload)) = input(&station(vlan), &bytes) {
            prop_assert!(ethertype >= 0x600 && ethertype != 0x8100);
            prop_assert!(bytes.ends_with(&payload));
        }
    }
}
