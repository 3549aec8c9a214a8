//! UDP as the walk knows it. It comes with the first socket: the image of an application without datagrams is without the
//! code behind them.

use core::hint::cold_path;
use core::net::{Ipv4Addr, SocketAddr};
use core::task::{Context, Poll};

use mirage_clock::Instant;
use mirage_net::{Net, SendError};
use mirage_protocols::{IcmpError, Received};
use mirage_tcp::Profile;
use mirage_udp::{Discard, Error, SocketId, Source, Udp};

use crate::Stack;
use crate::machines::Machines;
use crate::sockets::wake;

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

impl<N: Net, P: Profile> Stack<'_, N, P> {
    /// Sends a datagram on the device at once, or queues it where others wait before it, the device has no room, or so many
    /// were sent since the last poll that it is the turn of others.
    pub(crate) fn send_datagram(
        &self,
        id: SocketId,
        cx: &mut Context<'_>,
        source: Source,
        payload: &[u8],
        remote: SocketAddr,
    ) -> Poll<Result<(), Error>> {
        let mut device = self.device.lent();
        let mut machines = self.shared.undisturbed();
        let Machines { ethernet, arp, ipv4, udp, now, stirred, at_once, .. } = &mut *machines;
        let link = ethernet.over(device.split().1);
        let neighbours = arp.over(*now, link);
        let (_, mut outbound) = ipv4.split();
        let mut ip = outbound.over(neighbours);
        let left = at_once.checked_sub(1);
        *at_once = left.unwrap_or(0);
        let sent = udp.poll_send_over(*now, id, cx, payload, source, remote, left.map(|_| &mut ip));
        // It may be the first for a neighbour, or go out in pieces.
        stirred.stir_if(arp.wants_transmit() || ipv4.wants_transmit());
        // The next poll flushes the device.
        let driver = if sent.is_ready() { machines.driver.take() } else { None };
        drop(machines);
        drop(device);
        wake(driver);
        sent
    }
}

impl<N: Net, P: Profile> Stack<'_, N, P> {
    /// Sends a datagram from the socket's own end if that takes nothing out of the ordinary, as
    /// [`send_datagram`](Self::send_datagram) does: whether it did.
    #[inline(always)]
    pub(crate) fn send_datagram_again(&self, id: SocketId, payload: &[u8], remote: SocketAddr) -> bool {
        let mut device = self.device.lent();
        let mut machines = self.shared.undisturbed();
        let Machines { ethernet, arp, ipv4, udp, now, at_once, .. } = &mut *machines;
        let Some(left) = at_once.checked_sub(1) else {
            cold_path();
            return false;
        };
        let link = ethernet.over(device.split().1);
        let neighbours = arp.over(*now, link);
        let (_, mut outbound) = ipv4.split();
        let sent = udp.send_again(id, payload, remote, &mut outbound.over(neighbours));
        if !sent {
            cold_path();
            return false;
        }
        *at_once = left;
        let driver = machines.driver.take();
        drop(machines);
        drop(device);
        wake(driver);
        true
    }
}

/// Sends datagrams on a device: whether more wait.
pub(crate) type Send<N, P> = fn(&mut Machines<'_, P>, &mut N) -> Result<bool, SendError>;

/// The way out of datagrams.
pub(crate) fn send<N: Net, P: Profile>(machines: &mut Machines<'_, P>, device: &mut N) -> Result<bool, SendError> {
    let Machines { ethernet, arp, ipv4, udp, now, budget, stirred, .. } = machines;
    stirred.stir();
    let link = ethernet.over(device.split().1);
    let neighbours = arp.over(*now, link);
    let (_, mut outbound) = ipv4.split();
    udp.poll_transmit(*now, &mut outbound.over(neighbours), *budget)
}
