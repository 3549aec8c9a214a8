//! Answers to pings, and errors about what we have sent (RFC 792).

use core::net::Ipv4Addr;

use mirage_checksum::verify;
use mirage_clock::Instant;
use mirage_net::Transmit;
use mirage_stack::ErrorKind;
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::Count;
use crate::host::Datagrams;
use crate::lower::{Lower, Packet};
use crate::tcp::Tcp;
use crate::udp::Sockets;
use crate::wire::{self, ICMP, Icmp, TCP, UDP};

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO: u8 = 8;
const PORT_UNREACHABLE: u8 = 3;
const PROTOCOL_UNREACHABLE: u8 = 2;
const FRAGMENTATION_NEEDED: u8 = 4;

/// The shortest MTU that is believed: RFC 791 lets a path have less, and only attackers do.
const LEAST_MTU: u16 = 576;

/// Takes a message of `source`.
pub(crate) fn input<'s, T: Transmit>(
    now: Instant,
    (lower, device): (&mut Lower<'_>, &mut T),
    tcp: &mut Tcp<'_>,
    (sockets, datagrams): (&mut Sockets<'s>, Option<Datagrams<'s>>),
    source: Ipv4Addr,
    bytes: &[u8],
) {
    let message = Icmp::ref_from_prefix(bytes).ok().filter(|_| verify(bytes));
    match message {
        Some((icmp, payload)) if icmp.kind == ECHO => {
            let mut header = Icmp { kind: ECHO_REPLY, code: 0, checksum: 0.into(), rest: icmp.rest };
            let header = header.as_mut_bytes();
            let payload = [payload, &[]];
            // Lost where the device has no room: that is what a ping is there to find out.
            let _lost =
                lower.send(now, device, Packet { destination: source, protocol: ICMP, header, checksum: 2, payload });
        }
        Some((icmp, quoted))
            if icmp.kind == UNREACHABLE && about_ours(lower, tcp, (sockets, datagrams), icmp, quoted) => {}
        _ => lower.counters.add(Count::Icmp),
    }
}

/// Whether an error is about something of ours, and who has sent that heard it.
fn about_ours<'s>(
    lower: &Lower<'_>,
    tcp: &mut Tcp<'_>,
    (sockets, datagrams): (&mut Sockets<'s>, Option<Datagrams<'s>>),
    icmp: &Icmp,
    quoted: &[u8],
) -> bool {
    let Ok((ip, rest)) = wire::Ipv4::ref_from_prefix(quoted) else { return false };
    // What we send has no options.
    if ip.version != 0x45 || ip.source.get() != lower.address.to_bits() {
        return false;
    }
    // Eight bytes of what it carries have to be there, more may.
    let Some(first) = rest.first_chunk::<8>() else { return false };
    let remote = Ipv4Addr::from_bits(ip.destination.get());
    let (error, mtu) = match icmp.code {
        PORT_UNREACHABLE | PROTOCOL_UNREACHABLE => (ErrorKind::ConnectionRefused, None),
        FRAGMENTATION_NEEDED => (ErrorKind::MessageTooLong, Some((icmp.rest.get() as u16).max(LEAST_MTU))),
        _ => (ErrorKind::HostUnreachable, None),
    };
    if ip.protocol == UDP {
        return datagrams.is_some_and(|datagrams| (datagrams.fail)(sockets, first, remote, error));
    }
    let mut header = [0; size_of::<wire::Tcp>()];
    header[..8].copy_from_slice(first);
    let Ok(segment) = wire::Tcp::ref_from_bytes(&header) else { return false };
    ip.protocol == TCP && tcp.icmp_error(segment, remote, error, mtu)
}

/// Says that nobody has the port of a datagram, of which the packet is given.
pub(crate) fn port_unreachable<T: Transmit>(
    now: Instant,
    (lower, device): (&mut Lower<'_>, &mut T),
    source: Ipv4Addr,
    packet: &[u8],
) {
    let mut header = Icmp { kind: UNREACHABLE, code: PORT_UNREACHABLE, checksum: 0.into(), rest: 0.into() };
    // The header of the packet and eight bytes of what it carries.
    let quoted = packet.get(..28).unwrap_or_default();
    let header = header.as_mut_bytes();
    let _lost = lower.send(
        now,
        device,
        Packet { destination: source, protocol: ICMP, header, checksum: 2, payload: [quoted, &[]] },
    );
}
