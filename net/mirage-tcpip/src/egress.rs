//! The walk of a frame outwards: TCP | UDP | IGMP → IPv4 → ARP → Ethernet → the device's own buffer.

use core::task::{Context, Poll};

use mirage_icmp::ErrorToSend;
use mirage_net::{Disconnected, Net, SendError, Transmit};
use mirage_tcp::Profile;

use crate::datagrams::Send;
use crate::machines::Machines;

/// Sends what waits until nothing does, the device is full or the budget is used up; only then `true`.
// In its place, as below: a program either polls or runs the halves.
#[inline(always)]
pub(crate) fn transmit<N: Net, P: Profile>(
    machines: &mut Machines<'_, P>,
    device: &mut N,
    datagrams: Option<Send<N, P>>,
    cx: &mut Context<'_>,
) -> Result<bool, Disconnected> {
    match walk(machines, device, datagrams) {
        Ok(more) => Ok(more),
        Err(SendError::Disconnected) => Err(Disconnected),
        // The device wakes us when it has room again; if it has by now, go on at once.
        Err(_) => {
            machines.stirred.stir();
            // In turn: whoever found no room comes first the next time.
            machines.datagrams_first = !machines.datagrams_first;
            let transmit = device.split().1;
            transmit.flush();
            match transmit.poll_ready(cx) {
                Poll::Ready(Ok(())) => Ok(true),
                Poll::Ready(Err(Disconnected)) => Err(Disconnected),
                Poll::Pending => Ok(false),
            }
        }
    }
}

#[inline(always)]
fn walk<N: Net, P: Profile>(
    machines: &mut Machines<'_, P>,
    device: &mut N,
    datagrams: Option<Send<N, P>>,
) -> Result<bool, SendError> {
    let is_stirred = machines.stirred.any();
    if P::STRAIGHT && !(is_stirred || machines.udp.wants_transmit()) {
        if !machines.tcp.wants_transmit() {
            return Ok(false);
        }
        // TCP alone.
        let more = segments_here(machines, device.split().1)?;
        if machines.arp.wants_transmit() {
            network(machines, device.split().1)?;
        }
        return Ok(more);
    }
    if is_stirred {
        let Machines { arp, ipv4, igmp, now, .. } = &*machines;
        if arp.wants_transmit() || ipv4.is_due(*now) || igmp.is_due(*now) {
            network(machines, device.split().1)?;
        }
    }
    let datagrams = datagrams.filter(|_| machines.udp.wants_transmit());
    let datagrams_first = machines.datagrams_first;
    let mut more = false;
    if let Some(send) = datagrams
        && datagrams_first
    {
        more |= send(machines, device)?;
    }
    if machines.tcp.wants_transmit() {
        more |= segments(machines, device.split().1)?;
        machines.stirred.stir_if(machines.arp.wants_transmit());
    }
    if let Some(send) = datagrams
        && !datagrams_first
    {
        more |= send(machines, device)?;
    }
    // What was sent just now may have asked for a neighbour: the question goes out with the same flush.
    if machines.stirred.any() && machines.arp.wants_transmit() {
        network(machines, device.split().1)?;
    }
    Ok(more)
}

/// What the layers up to IPv4, ICMP and IGMP have to send.
#[cold]
#[inline(never)]
fn network<P: Profile>(machines: &mut Machines<'_, P>, transmit: &mut impl Transmit) -> Result<(), SendError> {
    let Machines { ethernet, arp, ipv4, icmp, igmp, now, stirred, .. } = machines;
    // What is sent here may ask for a neighbour, too.
    stirred.stir();
    let now = *now;
    let mut link = ethernet.over(transmit);
    if arp.wants_transmit() {
        arp.poll_transmit(now, &mut link)?;
    }
    let neighbours = arp.over(now, link);
    let (mut inbound, mut outbound) = ipv4.split();
    let mut ip = outbound.over(neighbours);
    ip.poll_transmit(now);
    while let Some(expired) = inbound.poll_expired(now) {
        let error = ErrorToSend::TimeExceededReassembly;
        let _counted = icmp.send_error(now, error, expired.header, expired.payload, expired.cast, &mut ip);
    }
    igmp.poll_transmit(now, &mut ip)
}

/// What TCP has to send: whether more waits.
#[inline(never)]
fn segments<P: Profile>(machines: &mut Machines<'_, P>, transmit: &mut impl Transmit) -> Result<bool, SendError> {
    segments_here(machines, transmit)
}

/// The same in the place of the call.
#[inline(always)]
fn segments_here<P: Profile>(machines: &mut Machines<'_, P>, transmit: &mut impl Transmit) -> Result<bool, SendError> {
    let Machines { ethernet, arp, ipv4, tcp, now, budget, .. } = machines;
    let link = ethernet.over(transmit);
    let neighbours = arp.over(*now, link);
    let (_, mut outbound) = ipv4.split();
    tcp.poll_transmit(*now, &mut outbound.over(neighbours), *budget)
}
