//! A neighbour that does not answer, told to the socket whose packet waited for it.

use core::net::{IpAddr, Ipv4Addr};

use mirage_arp::UnresolvedPacket;
use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol};

/// The same error that a router would send, had the neighbour been behind one: the socket need not know the
/// difference. Our own packets are well formed, but the offsets are checked all the same.
pub(crate) fn error(packet: UnresolvedPacket<'_>) -> Option<IcmpError<'_>> {
    let header = packet.bytes.first_chunk::<20>()?;
    let [s0, s1, s2, s3, d0, d1, d2, d3] = *header.last_chunk::<8>()?;
    let source = IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3));
    let quoted = packet.bytes.get(usize::from(header[0] & 15) * 4..)?;
    Some(IcmpError {
        kind: IcmpErrorKind::HostUnreachable,
        reporter: source,
        source,
        destination: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
        protocol: Protocol(header[9]),
        quoted,
    })
}
