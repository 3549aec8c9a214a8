//! TCP through the gateway, in and out.
//!
//! A connection of the guest is accepted before its other half is made: the guest learns by a reset, not by a refusal,
//! that nobody is there.

use core::net::SocketAddr;

use mirage_net::Net;
use mirage_stack::{Error as _, ListenOptions, Stack, TcpListener, TcpOptions, TcpStream};

use crate::Gateway;
use crate::pump::pump;
use crate::tasks::Starter;
use crate::time::Time;

/// What both ends of a pumped connection get: the ends themselves decide what to collect.
const OPTIONS: TcpOptions = TcpOptions { keepalive: None, nodelay: true, user_timeout: None };

/// What every door is opened with.
pub(crate) fn listen_options() -> ListenOptions {
    ListenOptions { tcp: OPTIONS, ..ListenOptions::default() }
}

/// Lets connections to a port of the host through to the guest.
pub(crate) async fn inwards<'a, N: Net, H: Stack>(
    gateway: &'a Gateway<N, H>,
    mut listener: H::TcpListener,
    guest: SocketAddr,
    time: &'a impl Time,
    tasks: Starter<'a>,
) {
    loop {
        let outside = next(&mut listener, time).await;
        let Some(place) = gateway.tally.connection(gateway.config.connections) else {
            log::warn!("as many connections as there may be: one of {} is refused", outside.remote_addr());
            outside.abort();
            continue;
        };
        tasks.start(async move {
            join(gateway, outside, &gateway.stack, guest, time).await;
            drop(place);
        });
    }
}

/// Lets the guest's connections out.
pub(crate) async fn outwards<'a, N: Net, H: Stack>(
    gateway: &'a Gateway<N, H>,
    mut listener: mirage_tcpip::TcpListener<'a, 'static>,
    time: &'a impl Time,
    tasks: Starter<'a>,
) {
    loop {
        let inside = next(&mut listener, time).await;
        let believed = inside.local_addr();
        let Some(destination) = gateway.config.outside(believed) else {
            log::debug!("the guest may not connect to {believed}");
            gateway.tally.edit(|counters| counters.forbidden += 1);
            inside.abort();
            continue;
        };
        let Some(place) = gateway.tally.connection(gateway.config.connections) else {
            log::warn!("as many connections as there may be: the guest's to {destination} is refused");
            inside.abort();
            continue;
        };
        tasks.start(async move {
            join(gateway, inside, gateway.host.clone(), destination, time).await;
            drop(place);
        });
    }
}

/// The next connection, however long it takes to have what it needs.
async fn next<L: TcpListener>(listener: &mut L, time: &impl Time) -> L::Stream {
    loop {
        match listener.accept().await {
            Ok(stream) => return stream,
            Err(reason) => log::warn!("no connection could be accepted on {}: {reason}", listener.local_addr()),
        }
        time.pause().await;
    }
}

/// Makes the other half of a connection, to `address` on `to`, and moves bytes until both have ended.
async fn join<N, H: Stack, S: Stack>(
    gateway: &Gateway<N, H>,
    stream: impl TcpStream,
    to: S,
    address: SocketAddr,
    time: &impl Time,
) {
    match time.within(gateway.config.connect_timeout, to.connect(address, OPTIONS)).await {
        Some(Ok(other)) => {
            log::trace!("{} is joined to {address}", stream.remote_addr());
            gateway.tally.edit(|counters| counters.joined += 1);
            return pump(stream, other).await;
        }
        Some(Err(reason)) => log::debug!("no connection from {} to {address}: {}", stream.remote_addr(), reason.kind()),
        None => log::debug!("no connection from {} to {address}: it does not answer", stream.remote_addr()),
    }
    gateway.tally.edit(|counters| counters.unjoined += 1);
    stream.abort();
}
