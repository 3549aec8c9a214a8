//! A frame that is for us, and why others are not.

use core::num::NonZeroU16;

use mirage_net::{MacAddress, ReceivedChecksum};
use mirage_protocols::{Cast, EtherType};

/// A frame that is for us, without its header and tag.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'f> {
    /// The station that sent it; never a group.
    pub source: MacAddress,
    /// Our address, that of a group we are in, or everybody.
    pub destination: MacAddress,
    /// Whom it was sent to.
    pub cast: Cast,
    /// What it carries; never a length, never a further tag.
    pub ethertype: EtherType,
    /// What lies behind the header, padding and trailing bytes included: length fields inside govern.
    pub payload: &'f [u8],
    /// What the device knows of the transport checksum.
    pub checksum: ReceivedChecksum,
    /// Set when the device merged several segments: the payload size of each.
    pub segment_size: Option<NonZeroU16>,
}

mirage_protocols::reasons! {
    /// Why a frame was dropped.
    pub enum Discard {
        /// Shorter than its header and tag.
        TooShort = "too_short",
        /// For another station or for a group we are not in.
        NotForUs = "not_for_us",
        /// It claims to come from a group or from no station.
        SourceNotUnicast = "source_not_unicast",
        /// Tagged for another virtual LAN, or tagged twice.
        OtherVlan = "other_vlan",
        /// Without the tag of our virtual LAN.
        Untagged = "untagged",
        /// An IEEE 802.3 frame with a length instead of an ethertype.
        LengthField = "length_field",
    }
}
