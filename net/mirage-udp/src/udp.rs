//! The machine: sockets, their queues and who waits for them.

use core::net::{IpAddr, SocketAddr};

use managed::ManagedSlice;
use mirage_protocols::{Counts, Reason};
use mirage_waker::{Slot, WaitList, WakerPool};

use crate::address::End;
use crate::pool::Pool;
use crate::table::Table;
use crate::wire::LONGEST;
use crate::{
    Address, BindError, Block, Bound, Bucket, Discard, EphemeralPorts, Error, PortChoice, SocketId, SocketSlot, port,
};
use mirage_secret::Draws;

/// How much each socket may hold, and which ports are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Received and not yet read, for each socket.
    pub receive: Bound,
    /// Written and not yet sent, for each socket.
    pub send: Bound,
    /// Ports for those who do not ask for one.
    pub ephemeral: EphemeralPorts,
}

impl Default for Config {
    /// 64 KiB and 64 datagrams each way, ports from 32,768 on.
    fn default() -> Self {
        let bound = Bound { bytes: 65_536, datagrams: 64 };
        Self { receive: bound, send: bound, ephemeral: EphemeralPorts::default() }
    }
}

/// What the machine keeps everything in; its sizes are the bounds.
#[derive(Debug)]
pub struct Storage<'s, A = IpAddr> {
    /// One for each socket, at most 65,535.
    pub sockets: ManagedSlice<'s, SocketSlot<A>>,
    /// The hash table: at least one, better as many as sockets.
    pub buckets: ManagedSlice<'s, Bucket>,
    /// The queued datagrams of all sockets: one for each, and one more for each [`Block::SIZE`] bytes behind the first.
    /// At most 65,535 blocks.
    pub blocks: ManagedSlice<'s, Block<A>>,
    /// One for each task that waits, at most 65,535; when they run out, tasks are woken to look again.
    pub wakers: ManagedSlice<'s, Slot>,
}

/// Our end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// `None` for every address of ours.
    pub address: Option<IpAddr>,
    /// Which port.
    pub port: PortChoice,
}

/// What was done so far and what is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sockets, those included that are closed and still have something to send.
    pub sockets: usize,
    /// Queued datagrams.
    pub datagrams: usize,
    /// Blocks that hold them.
    pub blocks: usize,
    /// Datagrams queued for sockets or taken by handlers so far.
    pub received: u64,
    /// Datagrams that the IP layer took so far.
    pub sent: u64,
    /// Datagrams that it refused for good: too long, no route, no neighbour.
    pub unsent: u64,
}

/// UDP (RFC 768, RFC 1122 §4.1). It has no timers. `A` is what it takes for an address: see [`Address`].
#[derive(Debug)]
pub struct Udp<'s, A = IpAddr> {
    pub(crate) config: Config,
    pub(crate) table: Table<'s, A>,
    pub(crate) pool: Pool<'s, A>,
    pub(crate) wakers: WakerPool<'s>,
    /// Who waits for room in the pool.
    pub(crate) room: WaitList,
    draws: Draws,
    /// Datagrams that are shorter than this, in bytes, can be queued and sent.
    pub(crate) send_below: usize,
    /// The fields that only count.
    pub(crate) stats: Stats,
    pub(crate) discards: Counts<Discard, { Discard::ALL.len() }>,
}

impl<'s, A: Address> Udp<'s, A> {
    /// A machine without sockets. `secret` must be unpredictable: ephemeral ports follow from it.
    #[inline(never)]
    pub fn new(config: Config, storage: Storage<'s, A>, secret: [u8; 16]) -> Self {
        let Storage { sockets, buckets, blocks, wakers } = storage;
        let mut draws = Draws::new(secret);
        let pool = Pool::new(blocks);
        Self {
            config,
            table: Table::new(sockets, buckets, draws.below(1 << 32) as u32),
            send_below: pool.could_ever_hold(config.send).map_or(0, |most| most.min(LONGEST) + 1),
            pool,
            wakers: WakerPool::new(wakers),
            room: WaitList::EMPTY,
            draws,
            stats: Stats::default(),
            discards: Counts::default(),
        }
    }

    /// Opens a socket. Several may have one port by different addresses; a datagram goes to the one that is connected to its
    /// sender, then to the one with its address, then to the one with every address, then to the one with every port.
    ///
    /// # Errors
    /// [`BindError`]
    pub fn bind(&mut self, local: Local) -> Result<SocketId, BindError> {
        let address = match local.address {
            Some(ip) => Some(A::from_ip(ip).ok_or(BindError::Unsupported)?),
            None => None,
        };
        let port = port::choose(&self.table, address, local.port, self.config.ephemeral, &mut self.draws)?;
        self.table.insert(address, port).ok_or(BindError::TableFull)
    }

    /// Closes a socket. What was written is still sent, what was not read is dropped, and who waits is woken. The port is
    /// free at once.
    ///
    /// # Errors
    /// [`Error::Closed`] when it was closed before.
    pub fn close(&mut self, id: SocketId) -> Result<(), Error> {
        let socket = self.table.unlink(id).ok_or(Error::Closed)?;
        self.pool.clear(&mut socket.incoming);
        self.wakers.wake(&mut socket.readers);
        self.wakers.wake(&mut socket.writers);
        self.wakers.wake(&mut self.room);
        self.table.remove_closed(id.index);
        Ok(())
    }

    /// Takes datagrams only from `remote` from now on, and hears of ICMP errors about what it sends there. `None` undoes it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for the wrong IP version, [`Error::AddressNotAvailable`] for port 0 or an unspecified
    /// address, [`Error::Closed`].
    pub fn connect(&mut self, id: SocketId, remote: Option<SocketAddr>) -> Result<(), Error> {
        self.table.forget();
        let socket = self.table.named(id)?;
        if let Some(remote) = remote {
            if remote.port() == 0 || remote.ip().is_unspecified() {
                return Err(Error::AddressNotAvailable);
            }
            if socket.address.is_some_and(|address| address.ip().is_ipv4() != remote.is_ipv4()) {
                return Err(Error::Unsupported);
            }
        }
        socket.remote = match remote {
            Some(remote) => Some(End::from_socket(&remote).ok_or(Error::Unsupported)?),
            None => None,
        };
        socket.error = None;
        Ok(())
    }

    /// Our end: `0.0.0.0` for every address, port 0 for every port. `None` when the socket was closed.
    pub fn local(&self, id: SocketId) -> Option<SocketAddr> {
        let socket = self.table.peek(id)?;
        Some(socket.own().socket())
    }

    /// The other end of a connected socket.
    pub fn remote(&self, id: SocketId) -> Option<SocketAddr> {
        self.table.peek(id)?.remote.map(End::socket)
    }

    /// What was done so far and what is in use.
    pub fn stats(&self) -> Stats {
        let (blocks, datagrams) = self.pool.in_use();
        Stats { sockets: self.table.in_use(), datagrams, blocks, ..self.stats }
    }

    /// What was dropped so far, by reason.
    pub const fn discards(&self) -> &Counts<Discard, { Discard::ALL.len() }> {
        &self.discards
    }
}
