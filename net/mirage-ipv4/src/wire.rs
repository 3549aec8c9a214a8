//! The bytes of an IPv4 header (RFC 791 §3.1).

use core::net::Ipv4Addr;

use mirage_checksum::{Sum, checksum};
use mirage_protocols::{LinkHeader, Protocol};
use zerocopy::byteorder::network_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Discard;

/// A header without options, as it lies on the wire: 20 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    /// Version 4 in the upper four bits, the header's length in words of four bytes below.
    pub version_and_length: u8,
    /// Differentiated services and congestion notification.
    pub traffic_class: u8,
    /// Length of the packet with its header, in bytes.
    pub total_length: U16,
    /// Which datagram a fragment belongs to.
    pub identification: U16,
    /// [`DONT_FRAGMENT`], [`MORE_FRAGMENTS`] and the fragment's offset in units of eight bytes.
    pub flags_and_offset: U16,
    /// Hops left.
    pub ttl: u8,
    /// What lies behind the header.
    pub protocol: u8,
    /// One's complement of the sum of the header.
    pub checksum: U16,
    /// Who sent it.
    pub source: [u8; 4],
    /// Whom it is for.
    pub destination: [u8; 4],
}

impl Header {
    /// Where the payload lies in its datagram, in bytes: a multiple of eight up to 65,528.
    #[inline]
    pub const fn offset(&self) -> u16 {
        (self.flags_and_offset.get() & OFFSET) * 8
    }

    /// Whether another fragment follows.
    #[inline]
    pub const fn more_fragments(&self) -> bool {
        self.flags_and_offset.get() & MORE_FRAGMENTS != 0
    }

    /// Whether this is a piece of a datagram rather than all of it.
    #[inline]
    pub const fn is_fragment(&self) -> bool {
        self.flags_and_offset.get() & (MORE_FRAGMENTS | OFFSET) != 0
    }

    /// Computes the checksum from the fields, for a header that is followed by `options`.
    pub fn seal(&mut self, options: &[u8]) {
        self.checksum = U16::ZERO;
        self.checksum = U16::new(Sum::of(options).add_bytes(self.as_bytes()).finish());
    }
}

/// A [`Header`] as it goes out, in as few words as there can be.
#[derive(Clone, Copy, Debug, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Words {
    /// From the version to the fragment's offset.
    start: U64,
    /// Time to live, protocol and checksum.
    middle: U32,
    source: [u8; 4],
    destination: [u8; 4],
}

/// The same behind the header of a frame.
#[derive(Clone, Copy, Debug, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Framed {
    pub(crate) link: [u8; LinkHeader::LEN],
    pub(crate) header: Words,
}

impl Words {
    /// The header with the words `one` to `three`, whose checksum is zero yet, and the `sum` of all five.
    #[inline]
    pub(crate) fn new(one: u32, two: u32, three: u32, sum: u64, source: Ipv4Addr, destination: Ipv4Addr) -> Self {
        let checksum = Sum::ZERO.add_u64(sum).finish();
        Self {
            start: U64::new(u64::from(one) << 32 | u64::from(two)),
            middle: U32::new(three | u32::from(checksum)),
            source: source.octets(),
            destination: destination.octets(),
        }
    }
}

/// A packet whose header can be trusted.
#[derive(Clone, Copy, Debug)]
pub struct Parsed<'p> {
    /// The header without its options.
    pub header: &'p Header,
    /// The header's bytes, options included: 20 to 60.
    pub header_bytes: &'p [u8],
    /// What lies behind the header, trimmed to the length that the header says.
    pub payload: &'p [u8],
}

impl Parsed<'_> {
    /// Who sent it.
    #[inline]
    pub const fn source(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(u32::from_be_bytes(self.header.source))
    }

    /// Whom it is for.
    #[inline]
    pub const fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(u32::from_be_bytes(self.header.destination))
    }

    /// What lies behind the header.
    #[inline]
    pub const fn protocol(&self) -> Protocol {
        Protocol(self.header.protocol)
    }
}

/// Checks the header of `packet`: version, lengths, checksum, options and time to live. Bytes behind the packet's
/// own length (Ethernet's padding) are cut off.
///
/// # Errors
/// The first of these that is wrong.
#[inline]
pub fn parse(packet: &[u8]) -> Result<Parsed<'_>, Discard> {
    let fixed: &[u8; HEADER_LEN] = packet.first_chunk().ok_or(Discard::TooShort)?;
    let header: &Header = zerocopy::transmute_ref!(fixed);
    let header_len = if header.version_and_length == NO_OPTIONS {
        if !sums_to_ones(fixed) {
            return Err(Discard::Checksum);
        }
        HEADER_LEN
    } else {
        check_long_header(packet, header)?
    };
    let packet = packet.get(..usize::from(header.total_length.get())).ok_or(Discard::TotalLength)?;
    let (header_bytes, payload) = packet.split_at_checked(header_len).ok_or(Discard::TotalLength)?;
    if header.ttl == 0 {
        return Err(Discard::TimeToLive);
    }
    Ok(Parsed { header, header_bytes, payload })
}

/// What [`parse`] gives for a packet that is no fragment and has no options; `None` for others and for bad ones.
#[inline]
pub(crate) fn parse_usual(packet: &[u8]) -> Option<Parsed<'_>> {
    let fixed: &[u8; HEADER_LEN] = packet.first_chunk()?;
    let header: &Header = zerocopy::transmute_ref!(fixed);
    let len = usize::from(header.total_length.get());
    let (one, two, last) = words(fixed)?;
    // The version, the header's length and what makes a fragment of a packet lie in the first word.
    let is_usual = one & USUAL_MASK == USUAL && header.ttl != 0 && len <= packet.len();
    if !is_usual || !Sum::ZERO.add_u64(one).add_u64(two).add_u32(last).is_valid() {
        return None;
    }
    Some(Parsed { header, header_bytes: fixed, payload: packet.get(HEADER_LEN..len)? })
}

/// The length of a header that is not the usual one of 20 bytes, if there is nothing wrong with it.
#[cold]
fn check_long_header(packet: &[u8], header: &Header) -> Result<usize, Discard> {
    if header.version_and_length >> 4 != 4 {
        return Err(Discard::Version);
    }
    let len = usize::from(header.version_and_length & 0xf) * 4;
    let bytes = packet.get(..len).ok_or(Discard::HeaderLength)?;
    let (_, options) = bytes.split_at_checked(HEADER_LEN).ok_or(Discard::HeaderLength)?;
    if checksum(bytes) != 0 {
        return Err(Discard::Checksum);
    }
    check_options(options)?;
    Ok(len)
}

/// Walks the options, at most 40 bytes. Those that are well-formed and not a source route are ignored.
fn check_options(mut options: &[u8]) -> Result<(), Discard> {
    // Each turn takes at least one byte off.
    while let [kind, rest @ ..] = options {
        options = match *kind {
            END_OF_OPTIONS => return Ok(()),
            NO_OPERATION => rest,
            LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE => return Err(Discard::SourceRoute),
            _ => {
                let len = usize::from(*rest.first().ok_or(Discard::BadOption)?);
                if len < 2 {
                    return Err(Discard::BadOption);
                }
                options.get(len..).ok_or(Discard::BadOption)?
            }
        };
    }
    Ok(())
}

/// Whether a header without options sums to 0xffff. The order of the bytes in a word does not matter for that
/// (RFC 1071 §2(B)), so the words are taken as the machine reads them.
#[inline]
fn sums_to_ones(header: &[u8; HEADER_LEN]) -> bool {
    words(header).is_some_and(|(one, two, last)| Sum::ZERO.add_u64(one).add_u64(two).add_u32(last).is_valid())
}

/// The words of a header without options as the machine reads them.
#[inline]
fn words(header: &[u8; HEADER_LEN]) -> Option<(u64, u64, u32)> {
    let (one, rest) = header.split_first_chunk()?;
    let (two, last) = rest.split_first_chunk()?;
    Some((u64::from_ne_bytes(*one), u64::from_ne_bytes(*two), u32::from_ne_bytes(*last.first_chunk()?)))
}

/// What the first eight bytes of a packet without options that is no fragment are, as far as this mask reaches.
const USUAL: u64 = u64::from_ne_bytes([NO_OPTIONS, 0, 0, 0, 0, 0, 0, 0]);
const USUAL_MASK: u64 = u64::from_ne_bytes([0xff, 0, 0, 0, 0, 0, 0x3f, 0xff]);
/// Length of a header without options, in bytes.
pub const HEADER_LEN: usize = 20;
/// Length of the longest header, in bytes.
pub const MAX_HEADER_LEN: usize = 60;
/// Length of the longest packet with its header, in bytes.
pub const MAX_LEN: usize = 65_535;
/// The first byte of a header without options.
pub const NO_OPTIONS: u8 = 0x45;
/// Flag: routers must not cut this packet.
pub const DONT_FRAGMENT: u16 = 0x4000;
/// Flag: another fragment follows.
pub const MORE_FRAGMENTS: u16 = 0x2000;
/// Option: routers look at this packet although it is not for them (RFC 2113).
pub const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// Its sum.
pub(crate) const ROUTER_ALERT_SUM: u16 = 0x9404;
const OFFSET: u16 = 0x1fff;
const END_OF_OPTIONS: u8 = 0;
const NO_OPERATION: u8 = 1;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
