//! The packet that an error of ours is about.

use core::net::Ipv4Addr;

use mirage_protocols::{Cast, Protocol};
use zerocopy::FromBytes;

use crate::Discard;
use crate::wire::{ECHO_REPLY, ECHO_REQUEST, PARAMETER_PROBLEM, QuotedHeader, TIME_EXCEEDED, UNREACHABLE};

/// An error that a host tells a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorToSend {
    /// The destination cannot be reached: from a gateway.
    HostUnreachable,
    /// Nobody here speaks the protocol.
    ProtocolUnreachable,
    /// Nobody listens on the port.
    PortUnreachable,
    /// The other fragments did not come in time.
    TimeExceededReassembly,
    /// The header makes no sense.
    ParameterProblem {
        /// Which byte of the IP header is wrong.
        pointer: u8,
    },
}

impl ErrorToSend {
    /// Type, code and the first byte of what follows.
    pub(crate) const fn fields(self) -> (u8, u8, u8) {
        match self {
            Self::HostUnreachable => (UNREACHABLE, 1, 0),
            Self::ProtocolUnreachable => (UNREACHABLE, 2, 0),
            Self::PortUnreachable => (UNREACHABLE, 3, 0),
            Self::TimeExceededReassembly => (TIME_EXCEEDED, 1, 0),
            Self::ParameterProblem { pointer } => (PARAMETER_PROBLEM, 0, pointer),
        }
    }
}

/// Source and destination of a packet, when an error may be sent about it.
///
/// RFC 1122 §3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving: an ICMP error message, or a
/// datagram destined to an IP broadcast or IP multicast address, or a datagram sent as a link-layer broadcast, or a
/// non-initial fragment, or a datagram whose source address does not define a single host".
pub(crate) fn answerable(header: &[u8], payload: &[u8], cast: Cast) -> Result<(Ipv4Addr, Ipv4Addr), Discard> {
    let (view, _) = QuotedHeader::ref_from_prefix(header).map_err(|_| Discard::ErrorAboutError)?;
    if !view.is_ipv4() || view.len() > header.len() {
        return Err(Discard::ErrorAboutError);
    }
    if view.is_later_fragment() {
        return Err(Discard::ErrorAboutFragment);
    }
    // Only of these two is it known that they are not errors; timestamps and the like nobody misses.
    let harmless = matches!(payload.first(), Some(&(ECHO_REQUEST | ECHO_REPLY)));
    if Protocol(view.protocol) == Protocol::ICMP && !harmless {
        return Err(Discard::ErrorAboutError);
    }
    let (source, destination) = (Ipv4Addr::from(view.source), Ipv4Addr::from(view.destination));
    if cast != Cast::Unicast || !is_one_host(destination) {
        return Err(Discard::NotUnicast);
    }
    if !is_one_host(source) || source.is_loopback() || source == destination {
        return Err(Discard::BadSource);
    }
    Ok((source, destination))
}

/// Neither 0.0.0.0/8, nor a group, nor reserved or broadcast (240.0.0.0/4).
const fn is_one_host(address: Ipv4Addr) -> bool {
    matches!(address.octets()[0], 1..=223)
}
