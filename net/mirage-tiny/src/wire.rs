//! The headers, as they lie on the wire.

use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Ethernet II.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Ethernet {
    pub(crate) destination: [u8; 6],
    pub(crate) source: [u8; 6],
    pub(crate) kind: U16,
}

/// ARP for IPv4 on Ethernet (RFC 826).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Arp {
    /// Hardware, protocol and the lengths of their addresses.
    pub(crate) kinds: [u8; 6],
    pub(crate) operation: U16,
    pub(crate) sender_mac: [u8; 6],
    pub(crate) sender: U32,
    pub(crate) target_mac: [u8; 6],
    pub(crate) target: U32,
}

/// IPv4 without options (RFC 791 §3.1).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Ipv4 {
    pub(crate) version: u8,
    pub(crate) service: u8,
    pub(crate) len: U16,
    pub(crate) identification: U16,
    pub(crate) fragment: U16,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) checksum: U16,
    pub(crate) source: U32,
    pub(crate) destination: U32,
}

/// ICMP (RFC 792).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Icmp {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) checksum: U16,
    pub(crate) rest: U32,
}

/// UDP (RFC 768).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Udp {
    pub(crate) source: U16,
    pub(crate) destination: U16,
    pub(crate) len: U16,
    pub(crate) checksum: U16,
}

/// TCP without options (RFC 9293 §3.1).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Tcp {
    pub(crate) source: U16,
    pub(crate) destination: U16,
    pub(crate) sequence: U32,
    pub(crate) acknowledgment: U32,
    /// In the upper four bits the length of the header in words of four bytes.
    pub(crate) offset: u8,
    pub(crate) flags: u8,
    pub(crate) window: U16,
    pub(crate) checksum: U16,
    pub(crate) urgent: U16,
}

/// EtherTypes, protocols and kinds of messages.
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

/// Flags of TCP.
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

const _: () = assert!(size_of::<Ethernet>() == 14 && size_of::<Arp>() == 28 && size_of::<Ipv4>() == 20);
const _: () = assert!(size_of::<Icmp>() == 8 && size_of::<Udp>() == 8 && size_of::<Tcp>() == 20);
