//! Errors about packets of ours: what they say and what they quote.

use core::net::{IpAddr, Ipv4Addr};

use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Received};
use zerocopy::FromBytes;

use crate::Discard;
use crate::wire::{Header, PARAMETER_PROBLEM, QuotedHeader, REDIRECT, SOURCE_QUENCH, TIME_EXCEEDED, UNREACHABLE};

/// What the message says went wrong.
pub(crate) fn kind(header: &Header) -> Result<IcmpErrorKind, Discard> {
    Ok(match (header.kind, header.code) {
        (UNREACHABLE, 2) => IcmpErrorKind::ProtocolUnreachable,
        (UNREACHABLE, 3) => IcmpErrorKind::PortUnreachable,
        (UNREACHABLE, 4) => IcmpErrorKind::FragmentationNeeded { mtu: header.rest[1].get() },
        // RFC 1122 §3.2.2.1 (codes to 12), RFC 1812 §5.2.7.1 (13 to 15): the way there is closed, for whatever reason.
        (UNREACHABLE, 0..=15) => IcmpErrorKind::HostUnreachable,
        (TIME_EXCEEDED, 0 | 1) => IcmpErrorKind::TimeExceeded,
        (PARAMETER_PROBLEM, 0..=2) => IcmpErrorKind::ParameterProblem,
        (UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM, _) => return Err(Discard::UnknownCode),
        (SOURCE_QUENCH, _) => return Err(Discard::SourceQuench),
        (REDIRECT, _) => return Err(Discard::Redirect),
        _ => return Err(Discard::UnknownType),
    })
}

/// The error for the transport that sent what `quote` holds.
pub(crate) fn error<'p>(
    kind: IcmpErrorKind,
    received: &Received<'p>,
    quote: &'p [u8],
) -> Result<IcmpError<'p>, Discard> {
    let (header, _) = QuotedHeader::ref_from_prefix(quote).map_err(|_| Discard::BadQuote)?;
    if !header.is_ipv4() || header.is_later_fragment() {
        return Err(Discard::BadQuote);
    }
    // RFC 792: "Internet Header + 64 bits of Data Datagram", which is enough to find the socket.
    let quoted = quote.get(header.len()..).filter(|quoted| quoted.len() >= 8).ok_or(Discard::BadQuote)?;
    let source = IpAddr::V4(Ipv4Addr::from(header.source));
    // An error goes to the source of what it quotes, so what is quoted must have come from the address it arrived at.
    if source != received.destination {
        return Err(Discard::NotOurs);
    }
    Ok(IcmpError {
        kind,
        reporter: received.source,
        source,
        destination: IpAddr::V4(Ipv4Addr::from(header.destination)),
        protocol: Protocol(header.protocol),
        quoted,
    })
}
