//! A packet as the IP layer hands it up.

use core::net::IpAddr;
use core::num::NonZeroU16;

use mirage_net::ReceivedChecksum;

use crate::Ecn;

/// Whom a packet was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Us alone.
    Unicast,
    /// A group we are in.
    Multicast,
    /// Everybody on the link, by IP address or by hardware address.
    Broadcast,
}

/// What lies behind an IP header, whole: reassembled, trimmed to the length the header says.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Where it claims to come from; never a multicast or broadcast address.
    pub source: IpAddr,
    /// Where it went.
    pub destination: IpAddr,
    /// Whom it was sent to.
    pub cast: Cast,
    /// The bytes behind the IP header.
    pub payload: &'a [u8],
    /// What the device knows of the transport checksum.
    pub checksum: ReceivedChecksum,
    /// Set when the device merged several segments: the payload size of each.
    pub segment_size: Option<NonZeroU16>,
    /// The header's time to live.
    pub ttl: u8,
    /// What routers say of congestion on its way.
    pub ecn: Ecn,
}

impl<'a> Received<'a> {
    /// A unicast packet as tests make it: nothing checked, nothing merged, 64 hops left.
    pub const fn new(source: IpAddr, destination: IpAddr, payload: &'a [u8]) -> Self {
        Self {
            source,
            destination,
            cast: Cast::Unicast,
            payload,
            checksum: ReceivedChecksum::Unchecked,
            segment_size: None,
            ttl: 64,
            ecn: Ecn::NotCapable,
        }
    }
}
