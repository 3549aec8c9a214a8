//! The 28 bytes of a packet (RFC 826).

use core::net::Ipv4Addr;

use mirage_net::MacAddress;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Discard;

/// ARP for IPv4 on Ethernet.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Packet {
    hardware: U16,
    protocol: U16,
    hardware_len: u8,
    protocol_len: u8,
    operation: U16,
    sender_mac: [u8; 6],
    sender_ip: [u8; 4],
    target_mac: [u8; 6],
    target_ip: [u8; 4],
}

/// What a packet asks or says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Request = 1,
    Reply = 2,
}

/// A packet taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parsed {
    pub(crate) operation: Operation,
    pub(crate) sender_mac: MacAddress,
    pub(crate) sender_ip: Ipv4Addr,
    pub(crate) target_ip: Ipv4Addr,
}

const ETHERNET: u16 = 1;
const IPV4: u16 = 0x0800;

impl Packet {
    /// Its length in bytes.
    pub(crate) const LEN: usize = 28;

    pub(crate) const fn new(
        operation: Operation,
        sender: (MacAddress, Ipv4Addr),
        target: (MacAddress, Ipv4Addr),
    ) -> Self {
        Self {
            hardware: U16::new(ETHERNET),
            protocol: U16::new(IPV4),
            hardware_len: 6,
            protocol_len: 4,
            operation: U16::new(operation as u16),
            sender_mac: sender.0.octets(),
            sender_ip: sender.1.octets(),
            target_mac: target.0.octets(),
            target_ip: target.1.octets(),
        }
    }

    /// Takes a packet apart that may be followed by padding.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, Discard> {
        let (packet, _) = Self::ref_from_prefix(bytes).map_err(|_| Discard::TooShort)?;
        let kind = (packet.hardware.get(), packet.protocol.get(), packet.hardware_len, packet.protocol_len);
        if kind != (ETHERNET, IPV4, 6, 4) {
            return Err(Discard::NotEthernetIpv4);
        }
        let operation = match packet.operation.get() {
            1 => Operation::Request,
            2 => Operation::Reply,
            _ => return Err(Discard::UnknownOperation),
        };
        Ok(Parsed {
            operation,
            sender_mac: MacAddress(packet.sender_mac),
            sender_ip: Ipv4Addr::from(packet.sender_ip),
            target_ip: Ipv4Addr::from(packet.target_ip),
        })
    }
}
