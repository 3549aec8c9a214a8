//! The walk of a frame inwards: device → Ethernet → ARP | IPv4 → ICMP | UDP | TCP.

use core::hint::cold_path;
use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU16;
use core::task::{Context, Poll};

use mirage_arp::Arp;
use mirage_clock::Instant;
use mirage_ethernet::{Incoming as EthernetIncoming, Link};
use mirage_icmp::{ErrorToSend, Icmp, Incoming as IcmpIncoming};
use mirage_ipv4::{Incoming, Outbound};
use mirage_net::{Disconnected, Frame, FrameId, Receive, ReceivedChecksum, Transmit};
use mirage_protocols::{Cast, Counts, EtherType, Protocol, Reason as _, Received};
use mirage_tcp::{InFrame, Profile, Tcp};
use mirage_udp::Udp;
use mirage_udp::igmp::Igmp;

use crate::alike::Alike;
use crate::datagrams::Datagrams;
use crate::machines::{Discard, INTERFACE, Machines, tell};

/// What [`Stack::poll_ingress`](crate::Stack::poll_ingress) found at the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Nothing.
    Nothing,
    /// All there was.
    All,
    /// As much as the budget allows or as was expected; there may be more.
    Some,
}

/// Takes frames until there are none, as many as were to be expected have come (unless all are wanted: `WHOLE`), or the budget
/// is used up.
pub(crate) fn receive<P: Profile, const WHOLE: bool>(
    machines: &mut Machines<'_, P>,
    receive: &mut impl Receive,
    transmit: &mut impl Transmit,
    cx: &mut Context<'_>,
) -> Result<Came, Disconnected> {
    if P::STRAIGHT && machines.tcp.keeps_any() {
        take_back(machines, receive);
    }
    let mut taken = 0;
    loop {
        if P::STRAIGHT && !WHOLE && machines.rounds.is_over(taken) {
            machines.rounds.unasked();
            return Ok(Came::Some);
        }
        let came = receive.poll_frames_to_keep(cx, machines.budget - taken, |frame, number| {
            if P::STRAIGHT && !WHOLE {
                machines.rounds.came(frame.bytes.len());
            }
            if P::STRAIGHT && Alike::may_be(&frame) {
                return match number {
                    Some(number) => to_keep_in(machines, frame, number, transmit),
                    None => long_in(machines, frame.bytes, (frame.checksum, frame.segment_size), None, transmit),
                };
            }
            frame_in(machines, &frame, transmit);
            false
        });
        match came {
            Poll::Ready(came) => taken += came?,
            Poll::Pending => {
                if P::STRAIGHT && !WHOLE {
                    machines.rounds.asked(taken);
                }
                return Ok(if taken == 0 { Came::Nothing } else { Came::All });
            }
        }
        // It is never 0.
        if taken >= machines.budget {
            cold_path();
            return Ok(Came::Some);
        }
    }
}

/// Takes a long frame in that may be kept; whether it is.
#[inline(always)]
fn to_keep_in<P: Profile>(
    machines: &mut Machines<'_, P>,
    frame: Frame<'_>,
    number: FrameId,
    transmit: &mut impl Transmit,
) -> bool {
    if let Some(segment) = machines.alike.segment(&frame)
        && let Some(_counted) = machines.tcp.input_again(machines.now, segment, Some(Alike::in_frame(number)))
    {
        return machines.tcp.keeps(number);
    }
    long_in(machines, frame.bytes, (frame.checksum, frame.segment_size), Some(number), transmit)
}

/// What a device tells of a frame.
type Told = (ReceivedChecksum, Option<NonZeroU16>);

/// Takes a long frame in, which has a `number` if it may be kept; whether it is.
// By itself: what is short has the registers of the loop for itself.
#[cold]
#[inline(never)]
fn long_in<P: Profile>(
    machines: &mut Machines<'_, P>,
    bytes: &[u8],
    (checksum, segment_size): Told,
    number: Option<FrameId>,
    transmit: &mut impl Transmit,
) -> bool {
    let frame = Frame { bytes, checksum, segment_size };
    let Some(number) = number else {
        let again =
            machines.alike.segment(&frame).and_then(|segment| machines.tcp.input_again(machines.now, segment, None));
        if again.is_none() {
            usual_in(machines, &frame, None, transmit);
        }
        return false;
    };
    usual_in(machines, &frame, Some(Alike::in_frame(number)), transmit);
    machines.tcp.keeps(number)
}

/// The device shall have its frames back.
#[cold]
#[inline(never)]
fn take_back<P: Profile, R: Receive>(machines: &mut Machines<'_, P>, receive: &mut R) {
    let frames = machines.tcp.fetch_kept(receive);
    receive.release(frames);
}

#[inline(never)]
fn frame_in<P: Profile>(machines: &mut Machines<'_, P>, frame: &Frame<'_>, transmit: &mut impl Transmit) {
    if P::STRAIGHT { usual_in(machines, frame, None, transmit) } else { any_in(machines, frame, transmit) }
}

#[inline(always)]
fn usual_in<P: Profile>(
    machines: &mut Machines<'_, P>,
    frame: &Frame<'_>,
    place: Option<InFrame>,
    transmit: &mut impl Transmit,
) {
    let Machines { ethernet, ipv4, udp, tcp, now, datagrams, alike, .. } = &mut *machines;
    let (inbound, _) = ipv4.split();
    let packet =
        ethernet.usual(frame).and_then(|payload| inbound.usual(INTERFACE, payload, frame.checksum, frame.segment_size));
    let taken = match packet {
        Some((Protocol::TCP, received)) => {
            alike.remember(frame, received.payload.len());
            let _counted = match place {
                Some(_) => tcp.input_in_frame(*now, &received, place),
                None => tcp.input(*now, &received),
            };
            true
        }
        Some((Protocol::UDP, received)) => datagrams.is_some() && udp.input_again(&received),
        _ => false,
    };
    if !taken {
        unusual_elsewhere_in(machines, frame, transmit);
    }
}

/// As a piece of code of its own.
#[cold]
#[inline(never)]
fn unusual_elsewhere_in<P: Profile>(machines: &mut Machines<'_, P>, frame: &Frame<'_>, transmit: &mut impl Transmit) {
    machines.alike.forget();
    any_in(machines, frame, transmit);
}

/// Any frame.
#[inline]
fn any_in<P: Profile>(machines: &mut Machines<'_, P>, frame: &Frame<'_>, transmit: &mut impl Transmit) {
    match machines.ethernet.input(frame) {
        Ok(frame) if frame.ethertype == EtherType::IPV4 => ipv4_in(machines, &frame, transmit),
        Ok(frame) if frame.ethertype == EtherType::ARP => {
            machines.stirred.stir();
            if let Err(reason) = machines.arp.input(machines.now, frame.payload, frame.source) {
                machines.arp_discards.count(reason);
            }
        }
        Ok(_) => machines.discards.count(Discard::UnknownEthertype),
        Err(reason) => machines.ethernet_discards.count(reason),
    }
}

#[inline]
fn ipv4_in<P: Profile>(machines: &mut Machines<'_, P>, frame: &EthernetIncoming<'_>, transmit: &mut impl Transmit) {
    let Machines { ethernet, arp, ipv4, icmp, igmp, udp, tcp, now, discards, datagrams, stirred, .. } = machines;
    let now = *now;
    let (inbound, outbound) = ipv4.split();
    let payload = (frame.payload, frame.checksum, frame.segment_size);
    // What IPv4 and the layers above drop they count themselves; a fragment waits for the others.
    let taken = inbound.input_with(now, INTERFACE, frame.cast, payload, |packet| {
        let received = &packet.received;
        if packet.protocol == Protocol::TCP {
            let _counted = tcp.input(now, received);
            return true;
        }
        if packet.protocol == Protocol::UDP
            && let Some(datagrams) = datagrams
            && (datagrams.input)(udp, now, received)
        {
            return true;
        }
        let (datagrams, link) = (*datagrams, ethernet.over(transmit));
        unusual(packet, Rest { datagrams, arp, icmp, igmp, udp, tcp, now, discards, outbound, link });
        false
    });
    // A fragment waits for others, an answer for its neighbour.
    stirred.stir_if(!matches!(taken, Ok(Some(true))));
}

/// What may have to do with packets that are neither segments nor datagrams for a socket.
struct Rest<'a, 's, T, P: Profile> {
    datagrams: Option<Datagrams>,
    arp: &'a mut Arp<'s>,
    icmp: &'a mut Icmp,
    igmp: &'a mut Igmp<'s>,
    udp: &'a mut Udp<'s, Ipv4Addr>,
    tcp: &'a mut Tcp<'s, P>,
    now: Instant,
    discards: &'a mut Counts<Discard, { Discard::ALL.len() }>,
    outbound: Outbound<'a, 's>,
    link: Link<'a, T>,
}

/// Takes a packet that is neither a segment nor a datagram for a socket, and answers what may be answered at once.
#[cold]
#[inline(never)]
fn unusual<T: Transmit, P: Profile>(packet: &Incoming<'_>, rest: Rest<'_, '_, T, P>) {
    let Rest { datagrams, arp, icmp, igmp, udp, tcp, now, discards, mut outbound, link } = rest;
    let received = &packet.received;
    let error = match packet.protocol {
        Protocol::UDP => {
            if datagrams.is_none() {
                discards.count(Discard::UnknownProtocol);
            }
            Some(ErrorToSend::PortUnreachable)
        }
        // A gateway takes what is for others, but does not answer pings in their name.
        Protocol::ICMP if is_for_others(received, &outbound) => return discards.count(Discard::IcmpForOthers),
        Protocol::ICMP => None,
        Protocol::IGMP => {
            let _counted = igmp.input(now, received);
            return;
        }
        _ => {
            discards.count(Discard::UnknownProtocol);
            Some(ErrorToSend::ProtocolUnreachable)
        }
    };
    let neighbours = arp.over(now, link);
    let mut ip = outbound.over(neighbours);
    let report = match error {
        Some(error) => {
            let _counted = icmp.send_error(now, error, packet.header, received.payload, received.cast, &mut ip);
            return;
        }
        None => icmp.input(now, received, &mut ip),
    };
    if let Ok(Some(IcmpIncoming::Error(error))) = report {
        tell(tcp, udp, datagrams, now, &error);
    }
}

/// Whether only [`Config::accept_any`](crate::Config::accept_any) let the packet in.
fn is_for_others(received: &Received<'_>, outbound: &Outbound<'_, '_>) -> bool {
    match received.destination {
        IpAddr::V4(destination) => received.cast == Cast::Unicast && !outbound.is_local(destination),
        IpAddr::V6(_) => false,
    }
}
