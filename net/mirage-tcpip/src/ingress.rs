//! The walk of a frame inwards: device → Ethernet → ARP | IPv4 → ICMP | UDP | TCP.

use core::net::IpAddr;
use core::task::{Context, Poll};

use mirage_ethernet::Incoming as EthernetIncoming;
use mirage_icmp::{ErrorToSend, Incoming as IcmpIncoming};
use mirage_ipv4::Outbound;
use mirage_net::{Disconnected, Frame, Receive, Transmit};
use mirage_protocols::{Cast, EtherType, Protocol, Received};
use mirage_tcp::Profile;

use crate::machines::{Discard, INTERFACE, Machines, tell};

/// What came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nothing.
    Nothing,
    /// All there was.
    All,
    /// As much as the budget allows; there may be more.
    Some,
}

/// Takes frames until there are none or the budget is used up.
pub(crate) fn receive<P: Profile>(
    machines: &mut Machines<'_, P>,
    receive: &mut impl Receive,
    transmit: &mut impl Transmit,
    cx: &mut Context<'_>,
) -> Result<Came, Disconnected> {
    for taken in 0..machines.budget {
        match receive.poll_frame(cx, |frame| frame_in(machines, &frame, transmit)) {
            Poll::Ready(taken) => taken?,
            Poll::Pending if taken == 0 => return Ok(Came::Nothing),
            Poll::Pending => return Ok(Came::All),
        }
    }
    Ok(Came::Some)
}

#[inline]
fn frame_in<P: Profile>(machines: &mut Machines<'_, P>, frame: &Frame<'_>, transmit: &mut impl Transmit) {
    match machines.ethernet.input(frame) {
        Ok(frame) if frame.ethertype == EtherType::IPV4 => ipv4_in(machines, &frame, transmit),
        Ok(frame) if frame.ethertype == EtherType::ARP => {
            machines.stirred = true;
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
    let mut usual = false;
    let now = *now;
    let (inbound, mut outbound) = ipv4.split();
    let payload = (frame.payload, frame.checksum, frame.segment_size);
    // What IPv4 and the layers above drop they count themselves; a fragment waits for the others.
    let _counted = inbound.input_with(now, INTERFACE, frame.cast, payload, |packet| {
        let received = &packet.received;
        let error = match packet.protocol {
            Protocol::TCP => {
                usual = true;
                let _counted = tcp.input(now, received);
                return;
            }
            Protocol::UDP => match datagrams {
                Some(datagrams) if (datagrams.input)(udp, now, received) => return,
                Some(_) => Some(ErrorToSend::PortUnreachable),
                None => {
                    discards.count(Discard::UnknownProtocol);
                    Some(ErrorToSend::PortUnreachable)
                }
            },
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
        // What may be answered at once.
        let mut link = ethernet.over(transmit);
        let mut neighbours = arp.over(now, &mut link);
        let mut ip = outbound.over(&mut neighbours);
        let report = match error {
            Some(error) => {
                let _counted = icmp.send_error(now, error, packet.header, received.payload, received.cast, &mut ip);
                return;
            }
            None => icmp.input(now, received, &mut ip),
        };
        if let Ok(Some(IcmpIncoming::Error(error))) = report {
            tell(tcp, udp, *datagrams, now, &error);
        }
    });
    // A fragment waits for others, an answer for its neighbour.
    *stirred |= !usual;
}

/// Whether only [`Config::accept_any`](crate::Config::accept_any) let the packet in.
fn is_for_others(received: &Received<'_>, outbound: &Outbound<'_, '_>) -> bool {
    match received.destination {
        IpAddr::V4(destination) => received.cast == Cast::Unicast && !outbound.is_local(destination),
        IpAddr::V6(_) => false,
    }
}
