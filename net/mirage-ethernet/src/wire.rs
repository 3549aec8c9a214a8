//! The bytes of the header and of the tag.

use mirage_net::MacAddress;
use mirage_protocols::EtherType;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What begins every frame (IEEE 802.3 §3.1).
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) destination: [u8; 6],
    pub(crate) source: [u8; 6],
    /// A length below 0x600, what follows from there on.
    pub(crate) ethertype: U16,
}

/// What follows the ethertype 0x8100 (IEEE 802.1Q §9.6).
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Tag {
    /// Three bits of priority, one of drop eligibility, twelve of VLAN number.
    control: U16,
    pub(crate) ethertype: U16,
}

/// A header with its tag, to be written in one go.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Tagged {
    header: Header,
    tag: Tag,
}

/// The smallest ethertype; below are lengths of 802.3 frames (IEEE 802.3 §3.2.6).
pub(crate) const SMALLEST_ETHERTYPE: u16 = 0x600;

impl Header {
    /// Its length in bytes.
    pub(crate) const LEN: u16 = 14;

    /// As it lies on the wire.
    #[inline]
    pub(crate) fn bytes(self) -> [u8; Self::LEN as usize] {
        zerocopy::transmute!(self)
    }

    pub(crate) const fn new(destination: MacAddress, source: MacAddress, ethertype: EtherType) -> Self {
        Self { destination: destination.octets(), source: source.octets(), ethertype: U16::new(ethertype.0) }
    }
}

impl Tag {
    /// The VLAN's number; 0 means that the tag only carries a priority.
    pub(crate) fn vlan(&self) -> u16 {
        self.control.get() & 0x0fff
    }
}

impl Tagged {
    /// Its length in bytes.
    pub(crate) const LEN: u16 = Header::LEN + 4;

    /// A header with a tag of priority 0.
    pub(crate) const fn new(destination: MacAddress, source: MacAddress, vlan: u16, ethertype: EtherType) -> Self {
        Self {
            header: Header::new(destination, source, EtherType::VLAN),
            tag: Tag { control: U16::new(vlan), ethertype: U16::new(ethertype.0) },
        }
    }
}
