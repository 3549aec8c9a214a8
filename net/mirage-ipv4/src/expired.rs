//! A datagram that did not come together in time.

use core::net::Ipv4Addr;

use mirage_protocols::{Cast, InterfaceId};

/// A datagram whose fragments did not all come in time, with enough of it for an ICMP message "fragment reassembly
/// time exceeded" (RFC 792; only if the first fragment came: RFC 1122 §3.3.2).
#[derive(Clone, Copy, Debug)]
pub struct Expired<'a> {
    /// Where its first fragment came in.
    pub interface: InterfaceId,
    /// Who sent it, and now is told.
    pub source: Ipv4Addr,
    /// Whom it was for.
    pub destination: Ipv4Addr,
    /// Whom it was for: nobody is told about packets to many (RFC 1122 §3.2.2).
    pub cast: Cast,
    /// The first fragment's header with options.
    pub header: &'a [u8],
    /// The bytes behind it: at least eight, at most [`Block::PAYLOAD`](crate::Block::PAYLOAD).
    pub payload: &'a [u8],
}
