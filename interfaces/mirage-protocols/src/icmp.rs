//! An ICMP error about a packet of ours, on its way to the socket that sent it.

use core::net::IpAddr;

use crate::Protocol;

/// What went wrong with the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IcmpErrorKind {
    /// Network or host unreachable, or prohibited on the way: it may come back (a soft error, RFC 5461).
    HostUnreachable,
    /// The host does not speak this protocol.
    ProtocolUnreachable,
    /// Nobody listens on this port.
    PortUnreachable,
    /// Too long for a link on the way that may not fragment it.
    FragmentationNeeded {
        /// MTU of that link in bytes; 0 from routers older than RFC 1191.
        mtu: u16,
    },
    /// The time to live ran out on the way, or fragments did not come together.
    TimeExceeded,
    /// A router did not understand the header.
    ParameterProblem,
}

/// An ICMP error about a packet of ours. It comes from anybody: the transport checks that it really sent what is
/// quoted (RFC 5927).
#[derive(Clone, Copy, Debug)]
pub struct IcmpError<'a> {
    /// What went wrong.
    pub kind: IcmpErrorKind,
    /// Who says so.
    pub reporter: IpAddr,
    /// Source of the quoted packet: one of our addresses.
    pub source: IpAddr,
    /// Destination of the quoted packet.
    pub destination: IpAddr,
    /// Protocol of the quoted packet.
    pub protocol: Protocol,
    /// What is quoted of it behind its IP header: at least 8 bytes.
    pub quoted: &'a [u8],
}
