//! What servers said of data with the SYN, for our next connections to them (RFC 7413 §4.1.3).

use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};
use mirage_stack::TcpOptions;

use crate::connection::Slot;
use crate::demux::Tuple;
use crate::open::MOST_OPTIONS;
use crate::resources::Resources;
use crate::{ConnectError, ConnectionId, Cookie, Profile, Tcp};

/// Room for what one server said. Lend a slice of them with [`Tcp::remember_servers`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerSlot {
    /// Our address and the server's: a cookie is good between these two alone.
    ends: Option<(IpAddr, IpAddr)>,
    known: Server,
    /// When it was last of use.
    used: Instant,
    /// The port where data with the SYN came to nothing; 0 for none. Other ports may do better.
    refused: u16,
    /// How many SYNs with data, or with a request for a cookie, went unanswered one after the other.
    losses: u8,
    /// Until when nothing is tried there.
    refused_until: Instant,
}

/// What a server said the last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// What lets our next SYN carry data; `None` if the server gave nothing.
    pub cookie: Option<Cookie>,
    /// It takes data without one: only known from elsewhere.
    pub without_cookie: bool,
    /// The largest payload that it takes in a segment; 0 for unknown.
    pub mss: u16,
}

/// The servers that are remembered. Each look-up walks all of them.
pub(crate) struct Servers<'s>(ManagedSlice<'s, ServerSlot>);

impl Servers<'_> {
    /// Room for none.
    pub(crate) fn none() -> Self {
        Self(ManagedSlice::Borrowed(&mut []))
    }

    /// What our SYN carries: the server's cookie, or a request for one.
    pub(crate) fn cookie(&self, tuple: &Tuple) -> Cookie {
        self.find(tuple.local, tuple.remote).and_then(|slot| slot.known.cookie).unwrap_or(Cookie::REQUEST)
    }

    fn find(&self, local: IpAddr, remote: IpAddr) -> Option<&ServerSlot> {
        self.0.iter().find(|slot| slot.ends == Some((local, remote)))
    }

    /// The server's place, for which the one that was of no use for longest gives way.
    fn place(&mut self, now: Instant, tuple: &Tuple) -> Option<&mut ServerSlot> {
        let ends = Some((tuple.local, tuple.remote));
        let known = self.0.iter().position(|slot| slot.ends == ends);
        let oldest = || (0..self.0.len()).min_by_key(|place| (self.0[*place].ends.is_some(), self.0[*place].used));
        let place = known.or_else(oldest)?;
        let slot = self.0.get_mut(place)?;
        if known.is_none() {
            *slot = ServerSlot { ends, ..ServerSlot::default() };
        }
        slot.used = now;
        Some(slot)
    }

    /// A server answered the SYN that asked for a cookie or carried data.
    fn learn(&mut self, now: Instant, tuple: &Tuple, granted: Option<Cookie>, mss: u16) {
        let Some(slot) = self.place(now, tuple) else { return };
        slot.known = Server { cookie: granted.or(slot.known.cookie), mss, ..slot.known };
    }

    /// It took the data, or gave a cookie for the next time.
    fn succeeded(&mut self, now: Instant, tuple: &Tuple) {
        if let Some(slot) = self.place(now, tuple) {
            (slot.refused, slot.losses) = (0, 0);
        }
    }

    /// It came to nothing. `surely`: not for the loss of a packet, which may happen to any.
    fn failed(&mut self, now: Instant, tuple: &Tuple, surely: bool) {
        let Some(slot) = self.place(now, tuple) else { return };
        slot.losses = slot.losses.saturating_add(1);
        if surely || slot.losses >= MOST_LOSSES {
            slot.losses = 0;
            (slot.refused, slot.refused_until) = (tuple.remote_port, now + REFUSED_FOR);
        }
    }
}

impl<'s, P: Profile> Tcp<'s, P> {
    /// Remembers from now on what servers say of data with the SYN (RFC 7413), for
    /// [`connect_first`](Self::connect_first): as many of them as `storage` has room for, some dozens at most, since each
    /// look-up walks them all. What lies there is forgotten.
    pub fn remember_servers(&mut self, mut storage: ManagedSlice<'s, ServerSlot>) {
        storage.fill(ServerSlot::default());
        self.resources.servers = Servers(storage);
    }

    /// What a server said the last time to the address `source`, if it is remembered.
    pub fn server(&self, source: IpAddr, server: IpAddr) -> Option<Server> {
        Some(self.resources.servers.find(source, server)?.known)
    }

    /// Remembers what is known of a server from elsewhere: from before this machine was made, say.
    pub fn set_server(&mut self, now: Instant, source: IpAddr, server: IpAddr, known: Server) {
        let tuple = Tuple { local: source, remote: server, local_port: 0, remote_port: 0 };
        if let Some(slot) = self.resources.servers.place(now, &tuple) {
            slot.known = known;
        }
    }

    /// Opens a connection as [`connect`](Self::connect) does, with the first of `bytes` in the SYN if the server gave a cookie
    /// for that; a server that is not known is asked for one. Gives how much went with the SYN: the rest is to be written.
    ///
    /// The server may get what goes with the SYN twice: only for requests that may be asked twice (RFC 7413 §6.1). After
    /// data that it did not take, a SYN with data that it never answered, or two that needed another, nothing is tried at that
    /// port for an hour (§4.1.3.1). Unless [`remember_servers`](Self::remember_servers) has lent room, this is `connect`.
    ///
    /// # Errors
    /// Those of `connect`.
    pub fn connect_first(
        &mut self,
        now: Instant,
        source: IpAddr,
        local_port: Option<NonZeroU16>,
        remote: SocketAddr,
        options: TcpOptions,
        bytes: &[u8],
    ) -> Result<(ConnectionId, usize), ConnectError> {
        let id = self.connect(now, source, local_port, remote, options)?;
        let Tcp { connections, resources, .. } = self;
        let Some(slot) = connections.get_mut(id.index as usize) else { return Ok((id, 0)) };
        let servers = &resources.servers;
        let server = servers.find(source, remote.ip());
        let refused = server.is_some_and(|slot| slot.refused == remote.port() && now < slot.refused_until);
        if !P::FAST_OPEN || refused || servers.0.is_empty() {
            return Ok((id, 0));
        }
        let known = server.map(|slot| slot.known).unwrap_or_default();
        slot.set_asks_cookie(!known.without_cookie);
        if !known.without_cookie && known.cookie.is_none() {
            return Ok((id, 0));
        }
        if known.mss > 0 {
            slot.peer_mss = known.mss.max(resources.config.min_mss);
        }
        // What the largest options leave of a segment.
        let room = slot.peer_mss.saturating_sub(MOST_OPTIONS);
        let bytes = bytes.get(..bytes.len().min(room.into())).unwrap_or_default();
        let cuts = slot.cuts();
        let taken = slot.send.push(&mut resources.pool, bytes, slot.send_limit, 0, cuts);
        slot.syn_len = taken as u16;
        Ok((id, taken))
    }
}

impl<P: Profile> Slot<P> {
    /// The SYN-ACK came, with these options, that answers a SYN of ours that asked for a cookie or carried data; `acked`
    /// bytes of that are acknowledged.
    pub(crate) fn learn_server(&mut self, now: Instant, resources: &mut Resources<'_>, options: &[u8], acked: u32) {
        let carried = self.syn_len > 0;
        if !self.asks_cookie() && !carried {
            return;
        }
        // Only who asked, or gave one, is told one.
        let granted = Cookie::parse(options).filter(|cookie| self.asks_cookie() && !cookie.is_request());
        let servers = &mut resources.servers;
        servers.learn(now, &self.tuple, granted, self.peer_mss);
        if acked > 0 || granted.is_some() {
            servers.succeeded(now, &self.tuple);
        } else if self.syns > 1 || carried {
            servers.failed(now, &self.tuple, self.syns == 1);
        }
    }

    /// No answer came at all.
    pub(crate) fn note_silent_server(&self, now: Instant, resources: &mut Resources<'_>) {
        if self.asks_cookie() || self.syn_len > 0 {
            resources.servers.failed(now, &self.tuple, true);
        }
    }
}

/// So many in a row are no accident.
const MOST_LOSSES: u8 = 2;
/// How long nothing is tried where it came to nothing.
const REFUSED_FOR: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(host: u8, port: u16) -> Tuple {
        Tuple { local: [10, 0, 0, 1].into(), remote: [10, 0, 1, host].into(), local_port: 5000, remote_port: port }
    }

    fn cookie(byte: u8) -> Option<Cookie> {
        Cookie::new(&[byte; 8], false)
    }

    #[test]
    fn the_one_that_was_of_no_use_for_longest_gives_way() {
        let mut slots = [ServerSlot::default(); 2];
        let mut servers = Servers(ManagedSlice::Borrowed(&mut slots));
        for host in 1..=3 {
            servers.learn(Instant::from_secs(host.into()), &tuple(host, 80), cookie(host), 1460);
        }
        let known = |servers: &Servers<'_>, host| {
            servers.find(tuple(host, 80).local, tuple(host, 80).remote).map(|slot| slot.known.cookie)
        };
        assert_eq!(known(&servers, 1), None);
        assert_eq!((known(&servers, 2), known(&servers, 3)), (Some(cookie(2)), Some(cookie(3))));
    }

    #[test]
    fn a_cookie_is_kept_by_an_answer_without_one() {
        let mut slots = [ServerSlot::default(); 2];
        let mut servers = Servers(ManagedSlice::Borrowed(&mut slots));
        servers.learn(Instant::ZERO, &tuple(1, 80), cookie(7), 1460);
        servers.learn(Instant::ZERO, &tuple(1, 443), None, 1000);
        let slot = servers.find(tuple(1, 80).local, tuple(1, 80).remote).unwrap();
        assert_eq!(slot.known, Server { cookie: cookie(7), without_cookie: false, mss: 1000 });
    }

    #[test]
    fn without_room_nothing_is_remembered() {
        let mut servers = Servers::none();
        servers.learn(Instant::ZERO, &tuple(1, 80), cookie(7), 1460);
        servers.failed(Instant::ZERO, &tuple(1, 80), true);
        assert!(servers.find(tuple(1, 80).local, tuple(1, 80).remote).is_none());
    }
}
