//! The UDP header as it lies on the wire (RFC 768).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Eight bytes.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) source: U16,
    pub(crate) destination: U16,
    /// Header and payload, in bytes.
    pub(crate) len: U16,
    /// 0 for none (over IPv4 only).
    pub(crate) checksum: U16,
}

impl Header {
    pub(crate) const LEN: usize = size_of::<Self>();
    /// Where the checksum is.
    pub(crate) const CHECKSUM: u16 = 6;

    /// As it lies on the wire.
    #[inline]
    pub(crate) fn bytes(self) -> [u8; Self::LEN] {
        zerocopy::transmute!(self)
    }

    /// All of it in one word, as it lies on the wire.
    #[inline]
    pub(crate) fn word(&self) -> u64 {
        u64::from_be_bytes(self.bytes())
    }
}

/// Longest payload in bytes: an IPv4 packet of 65,535 with both headers.
pub(crate) const LONGEST: usize = 65_507;
