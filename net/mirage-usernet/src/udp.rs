//! UDP through the gateway: each conversation has a socket of its own on the side of the one who did not begin it.

use alloc::rc::Rc;
use alloc::vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures_util::FutureExt as _;
use futures_util::future::abortable;
use mirage_clock::Instant;
use mirage_net::Net;
use mirage_stack::{Datagram, Error as _, Stack, UdpSocket};

use crate::Gateway;
use crate::conversation::{Conversation, Ends, LONGEST, Table};
use crate::tasks::{Starter, yield_now};
use crate::time::Time;

/// Lets the guest's datagrams out, and answers in.
pub(crate) async fn outwards<'a, N: Net, H: Stack>(
    gateway: &'a Gateway<N, H>,
    inside: mirage_tcpip::UdpSocket<'a, 'static, N>,
    time: &'a impl Time,
    tasks: Starter<'a>,
) {
    let table = Rc::new(Table::new(gateway.config.conversations));
    let inside = Rc::new(inside);
    let mut buffer = vec![0; LONGEST];
    loop {
        let datagram = next(&*inside, &mut buffer, time).await;
        let Some(destination) = gateway.config.outside(datagram.local) else {
            gateway.tally.edit(|counters| counters.forbidden += 1);
            continue;
        };
        let ends = (datagram.remote, datagram.local);
        let way = Way { ends, peer: destination, socket: || gateway.host.bind(any(destination)) };
        let inside = inside.clone();
        let back = async move |payload: &[u8]| {
            let (guest, believed) = ends;
            if let Err(reason) = inside.send_from(believed, payload, guest).await {
                log::debug!("an answer of {believed} to {guest} is lost: {reason}");
                gateway.tally.edit(|counters| counters.dropped += 1);
            }
        };
        let payload = buffer.get(..datagram.len).unwrap_or(&buffer);
        pass(gateway, &table, way, payload, back, time, &tasks).await;
    }
}

/// Lets datagrams to a port of the host through to the guest. Each stranger appears to the guest as a port of the
/// gateway's address, for as long as neither is silent for too long.
pub(crate) async fn inwards<'a, N: Net, H: Stack>(
    gateway: &'a Gateway<N, H>,
    outside: H::UdpSocket,
    guest: SocketAddr,
    table: Rc<Table<'a, mirage_tcpip::UdpSocket<'a, 'static, N>>>,
    time: &'a impl Time,
    tasks: Starter<'a>,
) {
    let door = outside.local_addr();
    let outside = Rc::new(outside);
    let own = SocketAddr::new(IpAddr::V4(gateway.config.gateway.address()), 0);
    let mut buffer = vec![0; LONGEST];
    loop {
        let datagram = next(&*outside, &mut buffer, time).await;
        let stranger = datagram.remote;
        // The door, not the address that was asked for: two doors may lead to the same port of the guest.
        let way = Way { ends: (stranger, door), peer: guest, socket: || (&gateway.stack).bind(own) };
        let outside = outside.clone();
        let back = async move |payload: &[u8]| {
            if let Err(reason) = outside.send_to(payload, stranger).await {
                log::debug!("the guest's answer to {stranger} is lost: {}", reason.kind());
                gateway.tally.edit(|counters| counters.dropped += 1);
            }
        };
        let payload = buffer.get(..datagram.len).unwrap_or(&buffer);
        pass(gateway, &table, way, payload, back, time, &tasks).await;
    }
}

/// The next datagram that comes through a door.
async fn next<U: UdpSocket>(door: &U, buffer: &mut [u8], time: &impl Time) -> Datagram {
    loop {
        match door.recv_from(buffer).await {
            Ok(datagram) => return datagram,
            Err(reason) => log::warn!("no datagram could be received on {}: {}", door.local_addr(), reason.kind()),
        }
        time.pause().await;
    }
}

/// The way of a datagram through the gateway.
struct Way<F> {
    ends: Ends,
    /// Where it goes.
    peer: SocketAddr,
    /// The socket it leaves by when it is the first of its conversation.
    socket: F,
}

/// Sends a datagram on its way, as part of the conversation it belongs to or as the first of a new one whose answers
/// go to `back`.
async fn pass<'a, N, H: Stack, U: UdpSocket + 'a>(
    gateway: &'a Gateway<N, H>,
    table: &Rc<Table<'a, U>>,
    way: Way<impl FnOnce() -> Result<U, U::Error>>,
    payload: &[u8],
    back: impl AsyncFn(&[u8]) + 'a,
    time: &'a impl Time,
    tasks: &Starter<'a>,
) {
    let known = table.find(way.ends);
    let is_new = known.is_none();
    let conversation = match known.map_or_else(|| begin(gateway, way, time.now()), Ok) {
        Ok(conversation) => conversation,
        Err(reason) => {
            log::warn!("a datagram finds no socket: {}", reason.kind());
            gateway.tally.edit(|counters| counters.dropped += 1);
            return;
        }
    };
    conversation.active.set(time.now());
    let has_evicted = is_new && remember(gateway, table, conversation.clone(), back, time, tasks);
    let (peer, socket) = (conversation.peer, &conversation.socket);
    if let Err(reason) = socket.send_to(payload, peer).await {
        log::debug!("a datagram of {} to {peer} is lost: {}", conversation.ends.0, reason.kind());
        gateway.tally.edit(|counters| counters.dropped += 1);
    }
    if has_evicted {
        // What made room holds a socket until its task has run.
        yield_now().await;
    }
}

/// A new conversation.
fn begin<'a, N, H: Stack, U: UdpSocket>(
    gateway: &'a Gateway<N, H>,
    way: Way<impl FnOnce() -> Result<U, U::Error>>,
    now: Instant,
) -> Result<Rc<Conversation<'a, U>>, U::Error> {
    let socket = (way.socket)()?;
    socket.connect(Some(way.peer))?;
    Ok(Rc::new(Conversation::new(way.ends, socket, way.peer, now, gateway.tally.conversation())))
}

/// Remembers a conversation, and starts the task that brings its answers and forgets it in the end. Whether another had
/// to make room.
fn remember<'a, N, H: Stack, U: UdpSocket + 'a>(
    gateway: &'a Gateway<N, H>,
    table: &Rc<Table<'a, U>>,
    conversation: Rc<Conversation<'a, U>>,
    back: impl AsyncFn(&[u8]) + 'a,
    time: &'a impl Time,
    tasks: &Starter<'a>,
) -> bool {
    let (one, place, timeout) = (conversation.clone(), table.clone(), gateway.config.conversation_timeout);
    let (task, end) = abortable(async move {
        one.answers(back, timeout, time).await;
        place.remove(&one);
    });
    let evicted = table.insert(conversation, end);
    if let Some(evicted) = &evicted {
        log::debug!("the conversation of {} with {} makes room", evicted.ends.0, evicted.peer);
        gateway.tally.edit(|counters| counters.evicted += 1);
    }
    tasks.start(task.map(drop));
    evicted.is_some()
}

/// Every address, and any free port, of the kind that can talk to `peer`.
fn any(peer: SocketAddr) -> SocketAddr {
    let address = match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(address, 0)
}
