//! The walk of a frame outwards: TCP | UDP | IGMP → IPv4 → ARP → Ethernet → the device's own buffer.

use core::task::{Context, Poll};

use mirage_icmp::ErrorToSend;
use mirage_net::{Disconnected, SendError, Transmit};

use crate::machines::Machines;

/// Sends what waits until nothing does, the device is full or the budget is used up; only then `true`.
pub(crate) fn transmit(
    machines: &mut Machines<'_>,
    transmit: &mut impl Transmit,
    cx: &mut Context<'_>,
) -> Result<bool, Disconnected> {
    match walk(machines, transmit) {
        Ok(more) => Ok(more),
        Err(SendError::Disconnected) => Err(Disconnected),
        // The device wakes us when it has room again; if it has by now, go on at once.
        Err(_) => {
            // In turn: whoever found no room comes first the next time.
            machines.datagrams_first = !machines.datagrams_first;
            transmit.flush();
            match transmit.poll_ready(cx) {
                Poll::Ready(Ok(())) => Ok(true),
                Poll::Ready(Err(Disconnected)) => Err(Disconnected),
                Poll::Pending => Ok(false),
            }
        }
    }
}

fn walk(machines: &mut Machines<'_>, transmit: &mut impl Transmit) -> Result<bool, SendError> {
    let Machines { ethernet, arp, ipv4, icmp, igmp, udp, tcp, now, budget, datagrams_first, .. } = machines;
    let (now, budget, datagrams_first) = (*now, *budget, *datagrams_first);
    let mut link = ethernet.over(transmit);
    if arp.wants_transmit() {
        arp.poll_transmit(now, &mut link)?;
    }
    let mut neighbours = arp.over(now, &mut link);
    let (mut inbound, mut outbound) = ipv4.split();
    // Always: fragments that wait for their neighbour want nothing until their time has come.
    outbound.poll_transmit(now, &mut neighbours);
    let mut ip = outbound.over(&mut neighbours);
    while let Some(expired) = inbound.poll_expired(now) {
        let error = ErrorToSend::TimeExceededReassembly;
        let _counted = icmp.send_error(now, error, expired.header, expired.payload, expired.cast, &mut ip);
    }
    igmp.poll_transmit(now, &mut ip)?;
    let mut more = false;
    for datagrams in [datagrams_first, !datagrams_first] {
        more |= match datagrams {
            true => udp.wants_transmit() && udp.poll_transmit(now, &mut ip, budget)?,
            false => tcp.wants_transmit() && tcp.poll_transmit(now, &mut ip, budget)?,
        };
    }
    // What was sent just now may have asked for a neighbour: the question goes out with the same flush.
    if arp.wants_transmit() {
        arp.poll_transmit(now, &mut link)?;
    }
    Ok(more)
}
