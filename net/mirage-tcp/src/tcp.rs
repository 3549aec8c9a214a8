//! The machine.

use core::hint::cold_path;

use managed::ManagedSlice;
use mirage_clock::Instant;
use mirage_waker::WaitList;

use crate::beginning::Beginning;
use crate::challenge::Challenges;
use crate::connection::{Slot, todo};
use crate::demux::{Demux, Found, Tuple};
use crate::discard::Discards;
use crate::half_open::HalfOpen;
use crate::identifier::NONE;
use crate::input::Again;
use crate::listen::ListenerSlot;
use crate::paths::Paths;
use crate::peers::Peers;
use crate::pool::Pool;
use crate::ports::Ports;
use crate::ready::Ends;
use crate::replies::{PerSecond, Replies};
use crate::resources::Resources;
use crate::rto::patience;
use crate::runs::Runs;
use crate::servers::Servers;
use crate::time_wait::TimeWait;
use crate::timers::Timers;
use crate::transmit::Link;
use crate::{Config, ConnectionId, Profile, Secrets, Standard, State, Stats, Storage};

/// TCP (RFC 9293) as a machine without I/O, for any number of connections and listeners on any number of addresses.
///
/// Give it what comes in ([`input`](Self::input)), let it send ([`poll_transmit`](Self::poll_transmit)) whenever
/// [`wants_transmit`](Self::wants_transmit) says so, and call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) is over. Any method may change what the last two say.
pub struct Tcp<'s, P: Profile = Standard> {
    pub(crate) connections: ManagedSlice<'s, Slot<P>>,
    pub(crate) listeners: ManagedSlice<'s, ListenerSlot>,
    pub(crate) half_open: HalfOpen<'s>,
    pub(crate) time_wait: TimeWait<'s>,
    pub(crate) demux: Demux<'s>,
    pub(crate) resources: Resources<'s>,
    /// Follows from the configuration.
    pub(crate) beginning: Beginning<P>,
    pub(crate) secrets: Secrets,
    pub(crate) peers: Peers,
    pub(crate) ports: Ports,
    pub(crate) replies: Replies,
    pub(crate) resets: PerSecond,
    /// The connections that may have something to send.
    pub(crate) ready: Ends,
    /// The connection the last segment was for; it is looked at first.
    pub(crate) last: u32,
    pub(crate) free_connection: u32,
    pub(crate) free_listener: u32,
    pub(crate) in_use: u32,
    pub(crate) discards: Discards,
}

impl<'s, P: Profile> Tcp<'s, P> {
    /// A machine that lives on `storage`. What lies in the storage from earlier use is forgotten.
    #[inline(never)]
    pub fn new(config: Config, storage: Storage<'s, P>, secrets: Secrets) -> Self {
        let Storage { mut connections, buckets, mut listeners, time_wait, half_open, timers, blocks, runs, wakers } =
            storage;
        let count = connections.len() as u32;
        for (slot, next) in connections.iter_mut().zip(1..) {
            *slot = Slot::unused(0, if next < count { next } else { NONE });
        }
        let doors = listeners.len() as u32;
        for (slot, next) in listeners.iter_mut().zip(1..) {
            *slot = ListenerSlot::unused(0, if next < doors { next } else { NONE });
        }
        let counts = [connections.len(), half_open.len(), time_wait.len()];
        let config = config.clamped();
        Self {
            listeners,
            half_open: HalfOpen::new(half_open),
            time_wait: TimeWait::new(time_wait),
            demux: Demux::new(buckets, secrets.ends, counts),
            beginning: Beginning::new(&config),
            resources: Resources {
                window_scale: config.window_scale(),
                config,
                patience: patience(config.min_rto),
                pool: Pool::new(blocks),
                runs: Runs::new(runs),
                timers: Timers::new(timers),
                wakers,
                starved: WaitList::EMPTY,
                fast_open_pending: 0,
                challenges: Challenges::new(secrets.ports, config.challenges_per_second.into()),
                paths: Paths::NONE,
                link: Link::NONE,
                servers: Servers::none(),
                again: Again::NONE,
                stats: Stats::default(),
            },
            peers: Peers::new(secrets.peers),
            secrets,
            ports: Ports::default(),
            replies: Replies::default(),
            resets: PerSecond::new(config.resets_per_second),
            ready: Ends::default(),
            last: NONE,
            free_connection: if connections.is_empty() { NONE } else { 0 },
            free_listener: if doors == 0 { NONE } else { 0 },
            in_use: 0,
            discards: Discards::default(),
            connections,
        }
    }

    /// Whether [`poll_transmit`](Self::poll_transmit) has something to do.
    #[inline]
    pub fn wants_transmit(&self) -> bool {
        if !self.replies.is_empty() {
            cold_path();
            return true;
        }
        self.ready.head != NONE
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do at the earliest; `None` for never.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.resources.timers.next()
    }

    /// Changes what can be tuned: for connections that begin from now on; limits and timers that all share change at once.
    pub fn reconfigure(&mut self, config: Config) {
        self.resources.config = config.clamped();
        self.beginning = Beginning::new(&self.resources.config);
        self.resources.window_scale = self.resources.config.window_scale();
        self.resources.patience = patience(self.resources.config.min_rto);
        self.resources.again = Again::NONE;
    }

    /// What the machine did and holds.
    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.in_use,
            half_open: self.half_open.count,
            time_wait: self.time_wait.count,
            blocks_in_use: self.resources.pool.in_use(),
            blocks_total: self.resources.pool.total(),
            steps: self.resources.runs.steps,
            replies_dropped: self.resources.stats.replies_dropped + self.replies.dropped,
            ..self.resources.stats
        }
    }

    /// How often segments were dropped, and why.
    pub fn discards(&self) -> &Discards {
        &self.discards
    }

    /// The connection an application names, unless it gave it back.
    pub(crate) fn slot(&self, id: ConnectionId) -> Option<&Slot<P>> {
        let slot = self.connections.get(id.index as usize)?;
        (slot.generation == id.generation && slot.held()).then_some(slot)
    }

    /// Takes a free slot for a connection.
    pub(crate) fn take_slot(&mut self) -> Option<u32> {
        let index = self.free_connection;
        self.free_connection = self.connections.get(index as usize)?.next;
        self.in_use += 1;
        Some(index)
    }

    /// Does what the method that runs has left to do with a connection: every public method ends here.
    #[inline]
    pub(crate) fn settle(&mut self, index: u32) {
        if P::STRAIGHT {
            self.resources.again.len = 0;
        }
        self.settle_here(index);
    }

    /// The same after the last segment was taken in, and nothing else.
    #[inline]
    pub(crate) fn settle_here(&mut self, index: u32) {
        if let Some(slot) = self.connections.get_mut(index as usize)
            && slot.todo != 0
        {
            if P::STRAIGHT && slot.todo == todo::OUTPUT {
                slot.todo = 0;
                if !slot.ready.is_listed() {
                    self.make_ready(index);
                }
            } else if P::STRAIGHT && slot.todo == todo::REARM {
                slot.todo = 0;
                self.resources.timers.set(index, slot.armed);
            } else {
                self.settle_slow(index);
            }
        }
        self.check(index);
    }

    #[inline(never)]
    fn settle_slow(&mut self, index: u32) {
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        let left = core::mem::take(&mut slot.todo);
        if left & todo::END != 0 {
            return self.retire(index);
        }
        let armed = slot.armed;
        if left & todo::OUTPUT != 0 {
            self.make_ready(index);
        }
        if left & todo::REARM != 0 {
            self.resources.timers.set(index, armed);
        }
    }

    /// Takes an ended connection out of everything; its slot stays for as long as an application holds it.
    #[inline(never)]
    pub(crate) fn retire(&mut self, index: u32) {
        self.hide(index);
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        // One that nobody accepted yet is forgotten, but for what its peer sent before it broke off.
        if slot.queue.is_listed() && slot.receive.readable() == 0 {
            slot.set_held(false);
            self.dequeue_accepted(index);
        }
        self.depart(index);
    }

    /// The same for one that segments find no more, and that nobody waits for.
    #[inline(never)]
    pub(crate) fn depart(&mut self, index: u32) {
        self.make_unready(index);
        self.resources.timers.clear(index);
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        slot.armed = Instant::MAX;
        if slot.in_use() && !slot.held() {
            self.free_slot(index);
        }
        self.resources.relieve();
    }

    /// Lets segments find this connection no more.
    pub(crate) fn hide(&mut self, index: u32) {
        let Some(slot) = self.connections.get(index as usize).filter(|slot| slot.linked()) else { return };
        self.point(slot.bucket, Found::Connection(index), slot.next);
        self.mark_hidden(index);
    }

    /// Segments find this connection no more.
    #[inline]
    pub(crate) fn mark_hidden(&mut self, index: u32) {
        if let Some(slot) = self.connections.get_mut(index as usize) {
            slot.set_linked(false);
        }
        if self.last == index {
            self.last = NONE;
        }
    }

    fn free_slot(&mut self, index: u32) {
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        if P::PEERS && slot.is_counted() {
            self.peers.leave(slot.tuple.remote);
        }
        if slot.send.blocks() > 0 {
            slot.send.clear(&mut self.resources.pool);
        }
        if slot.receive.blocks() > 0 {
            slot.receive.clear(&mut self.resources.pool);
        }
        if P::SELECTIVE {
            self.resources.runs.clear(&mut slot.recovery.chain);
        }
        self.resources.wakers.wake(&mut slot.readers);
        self.resources.wakers.wake(&mut slot.writers);
        // Nothing else of it is looked at before `begin` makes all of it anew.
        slot.generation = slot.generation.wrapping_add(1);
        slot.next = self.free_connection;
        (slot.tuple, slot.state) = (Tuple::NONE, State::Closed);
        slot.set_in_use(false);
        (slot.armed, slot.todo) = (Instant::MAX, 0);
        self.free_connection = index;
        self.in_use -= 1;
    }
}
