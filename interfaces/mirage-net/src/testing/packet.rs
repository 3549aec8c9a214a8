//! Packets that a device completes or cuts, for the exams.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU16;

use mirage_checksum::Sum;

use crate::{Outgoing, PartialChecksum};

/// A UDP datagram over IPv4 whose checksum is left for the device, behind the two addresses of `link`.
pub(super) fn datagram(link: &[u8]) -> (Vec<u8>, Outgoing) {
    const PAYLOAD: usize = 500;
    let mut header = [0; 8];
    header[..4].copy_from_slice(&PORTS);
    header[4..6].copy_from_slice(&((8 + PAYLOAD) as u16).to_be_bytes());
    packet(link, 17, header, 6, PAYLOAD, None)
}

/// A TCP segment over IPv4 that is left for the device to cut into three, behind the two addresses of `link`.
pub(super) fn large_segment(link: &[u8]) -> (Vec<u8>, Outgoing) {
    let mut header = [0; 20];
    header[..4].copy_from_slice(&PORTS);
    // RFC 9293 §3.1: a header of five words, with ACK.
    header[12..16].copy_from_slice(&[5 << 4, 0x10, 0xff, 0xff]);
    packet(link, 6, header, 16, 1200, NonZeroU16::new(500))
}

/// A packet whose checksum field is `offset` bytes into the transport's header.
fn packet<const HEADER: usize>(
    link: &[u8],
    protocol: u8,
    mut header: [u8; HEADER],
    offset: u16,
    payload: usize,
    segment_size: Option<NonZeroU16>,
) -> (Vec<u8>, Outgoing) {
    let transport = HEADER + payload;
    let [high, low] = ((IP_HEADER + transport) as u16).to_be_bytes();
    // RFC 791 §3.1, with "don't fragment".
    let mut ip = [0x45, 0, high, low, 0, 1, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    let sum = Sum::of(&ip).finish();
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let pseudo = Sum::ZERO.pseudo_header(SOURCE, DESTINATION, protocol, transport as u32).partial();
    header[usize::from(offset)..][..2].copy_from_slice(&pseudo.to_be_bytes());

    let mut bytes = [link, &[8, 0], &ip, &header].concat();
    bytes.extend((0..payload).map(|at| at as u8 | 1));
    let start = (link.len() + 2 + IP_HEADER) as u16;
    let outgoing = Outgoing { len: bytes.len(), checksum: Some(PartialChecksum { start, offset }), segment_size };
    (bytes, outgoing)
}

// RFC 5737: addresses for documentation.
const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const DESTINATION: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

/// Of the source and the destination: 4000 and 5000.
const PORTS: [u8; 4] = [0x0f, 0xa0, 0x13, 0x88];

const IP_HEADER: usize = 20;
