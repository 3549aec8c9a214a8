//! ICMP messages as they lie on the wire (RFC 792).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The eight bytes that every message here starts with.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) checksum: U16,
    /// Echo: identifier and sequence number. Errors: unused, but for a pointer or an MTU.
    pub(crate) rest: [U16; 2],
}

impl Header {
    pub(crate) const LEN: usize = size_of::<Self>();
}

pub(crate) const ECHO_REPLY: u8 = 0;
pub(crate) const UNREACHABLE: u8 = 3;
pub(crate) const SOURCE_QUENCH: u8 = 4;
pub(crate) const REDIRECT: u8 = 5;
pub(crate) const ECHO_REQUEST: u8 = 8;
pub(crate) const TIME_EXCEEDED: u8 = 11;
pub(crate) const PARAMETER_PROBLEM: u8 = 12;

/// The IPv4 header without options, as far as messages quote it.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct QuotedHeader {
    version_and_length: u8,
    _tos: u8,
    _total_length: U16,
    _identification: U16,
    flags_and_offset: U16,
    _ttl: u8,
    pub(crate) protocol: u8,
    _checksum: U16,
    pub(crate) source: [u8; 4],
    pub(crate) destination: [u8; 4],
}

impl QuotedHeader {
    pub(crate) const fn is_ipv4(&self) -> bool {
        self.version_and_length >> 4 == 4 && self.version_and_length & 15 >= 5
    }

    /// Length with options, in bytes; at least 20 where [`is_ipv4`](Self::is_ipv4).
    pub(crate) fn len(&self) -> usize {
        usize::from(self.version_and_length & 15) * 4
    }

    /// Whether the transport's header is in a fragment before this one.
    pub(crate) fn is_later_fragment(&self) -> bool {
        self.flags_and_offset.get() & 0x1fff != 0
    }
}
