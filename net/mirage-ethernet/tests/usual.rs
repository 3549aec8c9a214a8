//! A usual frame is taken apart as each is.

use mirage_ethernet::{Ethernet, Incoming, VlanId};
use mirage_net::{Frame, MacAddress};
use mirage_protocols::{Cast, EtherType};
use proptest::prelude::*;

const OURS: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn station(vlan: Option<u16>) -> Ethernet<'static> {
    Ethernet::new(OURS, vlan.and_then(VlanId::new), vec![None; 2].leak())
}

/// Frames of which many are alike.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let group = prop_oneof![8 => Just([2, 0, 0, 0, 0, 1]), 1 => Just([0xff; 6]), 1 => Just([1, 0, 0x5e, 0, 0, 9])];
    let source = prop_oneof![8 => Just(PEER), 1 => Just([2, 0, 0, 0, 0, 3]), 1 => Just([0; 6]), 1 => Just([3; 6])];
    let tagged = (0_u8..3).prop_map(|vlan| vec![0x81, 0, 0, vlan, 8, 0]);
    let kind = prop_oneof![8 => Just(vec![8, 0]), 1 => Just(vec![8, 6]), 3 => tagged, 1 => Just(vec![0, 4])];
    (group, source, kind, prop::collection::vec(any::<u8>(), 0..8), prop::bool::weighted(0.1)).prop_map(
        |(destination, source, kind, payload, cut)| {
            let bytes = [&destination[..], &source, &kind, &payload].concat();
            if cut { bytes[..bytes.len().min(13)].to_vec() } else { bytes }
        },
    )
}

proptest! {
    #[test]
    fn what_is_usual_is_what_would_be_taken(
        frames in prop::collection::vec(frame(), 1..30), vlan in prop::option::weighted(0.2, 0_u16..3)
    ) {
        let mut station = station(vlan);
        station.join(MacAddress([1, 0, 0x5e, 0, 0, 9])).unwrap();
        for bytes in frames {
            let frame = Frame::new(&bytes);
            let taken = station.input(&frame);
            let whole = |taken: &Incoming<'_>| {
                (taken.cast, taken.ethertype, taken.payload.len() + 14) == (Cast::Unicast, EtherType::IPV4, bytes.len())
            };
            let usual = taken.ok().filter(whole).filter(|_| vlan.and_then(VlanId::new).is_none());
            prop_assert_eq!(station.usual(&frame), usual.map(|taken| taken.payload));
        }
    }
}

#[test]
fn a_packet_for_us_alone_is_usual() {
    let with = |payload: &[u8]| [&OURS.octets()[..], &PEER, &[8, 0], payload].concat();
    assert_eq!(station(None).usual(&Frame::new(&with(b"packet"))), Some(&b"packet"[..]));
    assert_eq!(station(None).usual(&Frame::new(&with(b""))), Some(&b""[..]));
    assert_eq!(station(Some(2)).usual(&Frame::new(&with(b"packet"))), None, "only frames with the tag are ours");
}
