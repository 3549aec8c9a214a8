//! UDP as the walk knows it. It comes with the first socket: the image of an application without datagrams is without the
//! code behind them.

use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_net::{Net, SendError};
use mirage_protocols::{IcmpError, Received};
use mirage_tcp::Profile;
use mirage_udp::{Discard, Udp};

use crate::machines::Machines;

/// What is done with what comes in.
#[derive(Clone, Copy)]
pub(crate) struct Datagrams {
    /// Takes a datagram; says whether there is a socket for it.
    pub(crate) input: fn(&mut Udp<'_, Ipv4Addr>, Instant, &Received<'_>) -> bool,
    pub(crate) on_icmp_error: fn(&mut Udp<'_, Ipv4Addr>, &IcmpError<'_>),
}

impl Datagrams {
    /// Those of every stack that has a socket.
    pub(crate) const SPOKEN: Self = Self {
        input: |udp, now, received| udp.input(now, received) != Err(Discard::NoSocket),
        // What it drops it counts.
        on_icmp_error: |udp, error| {
            let _counted = udp.on_icmp_error(error);
        },
    };
}

/// Sends datagrams on a device: whether more wait.
pub(crate) type Send<N, P> = fn(&mut Machines<'_, P>, &mut N) -> Result<bool, SendError>;

/// The way out of datagrams.
pub(crate) fn send<N: Net, P: Profile>(machines: &mut Machines<'_, P>, device: &mut N) -> Result<bool, SendError> {
    let Machines { ethernet, arp, ipv4, udp, now, budget, stirred, .. } = machines;
    *stirred = true;
    let mut link = ethernet.over(device.split().1);
    let mut neighbours = arp.over(*now, &mut link);
    let (_, mut outbound) = ipv4.split();
    udp.poll_transmit(*now, &mut outbound.over(&mut neighbours), *budget)
}
