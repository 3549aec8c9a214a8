//! Frames on their way out.

use core::num::NonZeroU16;

use mirage_ethernet::{Ethernet, VlanId};
use mirage_net::testing::FakeNet;
use mirage_net::{Capabilities, Frame, MacAddress, Net, Outgoing, PartialChecksum, SendError, Transmit};
use mirage_protocols::{EtherType, Ethernet as _, LinkPacket};

const OURS: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const PEER: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);

fn station(vlan: Option<u16>) -> Ethernet<'static> {
    Ethernet::new(OURS, vlan.and_then(VlanId::new), &mut [][..])
}

#[test]
fn the_header_comes_before_what_is_written() {
    let mut device = FakeNet::new(OURS);
    let station = station(None);
    let mut link = station.over(device.split().1);
    assert_eq!((link.mac(), link.mtu()), (OURS, 1500));
    link.send(LinkPacket::new(PEER, EtherType::ARP, 3), |frame| {
        assert_eq!((frame.len(), frame.remaining()), (14, 3));
        frame.put(b"abc");
    })
    .unwrap();
    device.split().1.flush();
    let sent = device.take_sent().unwrap();
    assert_eq!(sent.bytes, b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x06abc");
    assert_eq!(sent.outgoing, Outgoing::new(17));
}

#[test]
fn a_frame_of_a_virtual_lan_carries_its_tag_and_comes_back_as_it_was() {
    let mut device = FakeNet::new(OURS);
    let sender = station(Some(0x123));
    sender.over(device.split().1).send(LinkPacket::new(PEER, EtherType::IPV4, 2), |frame| frame.put(b"hi")).unwrap();
    device.split().1.flush();
    let sent = device.take_sent().unwrap();
    assert_eq!(sent.bytes, b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x81\0\x01\x23\x08\0hi");
    let receiver = Ethernet::new(PEER, VlanId::new(0x123), &mut [][..]);
    let received = receiver.input(&Frame::new(&sent.bytes)).unwrap();
    assert_eq!((received.source, received.ethertype, received.payload), (OURS, EtherType::IPV4, &b"hi"[..]));
}

#[test]
fn what_is_left_to_the_device_is_counted_from_the_frame() {
    for (vlan, header) in [(None, 14), (Some(7), 18)] {
        let mut device = FakeNet::new(OURS);
        device.set_capabilities(Capabilities { max_large_frame: 65_000, ..Capabilities::default() });
        let station = station(vlan);
        let packet = LinkPacket {
            checksum: Some(PartialChecksum { start: 20, offset: 16 }),
            segment_size: NonZeroU16::new(1448),
            ..LinkPacket::new(PEER, EtherType::IPV4, 4000)
        };
        let mut link = station.over(device.split().1);
        assert_eq!(link.capabilities().max_large_frame + usize::from(header), 65_014, "counts 14 bytes of header");
        link.send(packet, |frame| frame.put_zeroes(4000)).unwrap();
        device.split().1.flush();
        let outgoing = device.take_sent().unwrap().outgoing;
        assert_eq!(outgoing.len, 4000 + usize::from(header));
        assert_eq!(outgoing.checksum, Some(PartialChecksum { start: 20 + header, offset: 16 }));
        assert_eq!(outgoing.segment_size, NonZeroU16::new(1448));
    }
}

#[test]
fn a_packet_longer_than_the_mtu_is_refused_unless_the_device_cuts_it() {
    let mut device = FakeNet::new(OURS);
    let station = station(None);
    let mut link = station.over(device.split().1);
    let full = link.send(LinkPacket::new(PEER, EtherType::IPV4, 1500), |frame| frame.put_zeroes(1500));
    assert_eq!(full, Ok(()));
    for len in [1501, usize::MAX] {
        let long = link.send(LinkPacket::new(PEER, EtherType::IPV4, len), |_| panic!("must not be filled"));
        assert_eq!(long, Err(SendError::TooLong));
    }
}

#[test]
fn the_errors_of_the_device_come_through() {
    let mut device = FakeNet::new(OURS);
    device.set_capacity(0);
    let station = station(None);
    let packet = LinkPacket::new(PEER, EtherType::IPV4, 20);
    let sent = station.over(device.split().1).send(packet, |_| panic!("must not be filled"));
    assert_eq!(sent, Err(SendError::Full));
    device.disconnect();
    let sent = station.over(device.split().1).send(packet, |_| panic!("must not be filled"));
    assert_eq!(sent, Err(SendError::Disconnected));
}
