//! Finding whom a segment is for: one hash table, keyed with a secret, for everything there is to find.

use core::cell::Cell;
use core::net::{IpAddr, SocketAddr};

use managed::ManagedSlice;
use mirage_checksum::Sum;
use mirage_protocols::Protocol;
use mirage_secret::Secret;

use crate::identifier::NONE;
use crate::keyed;
use crate::wire::pseudo_v4;
use crate::{Profile, Tcp};

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) struct Tuple {
    pub(crate) local: IpAddr,
    pub(crate) remote: IpAddr,
    pub(crate) local_port: u16,
    /// 0 where there is no connection: no segment carries that.
    pub(crate) remote_port: u16,
}

impl PartialEq for Tuple {
    fn eq(&self, other: &Self) -> bool {
        // As they lie in memory: one number.
        let ports = |tuple: &Self| u32::from(tuple.remote_port) << 16 | u32::from(tuple.local_port);
        ports(self) == ports(other) && is_same(&self.remote, &other.remote) && is_same(&self.local, &other.local)
    }
}

#[inline]
fn is_same(one: &IpAddr, other: &IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one == other,
        _ => is_same_v6(one, other),
    }
}

/// Out of line: they are long to compare, and there are many places that do.
#[inline(never)]
fn is_same_v6(one: &IpAddr, other: &IpAddr) -> bool {
    one == other
}

impl Tuple {
    /// Nobody's.
    pub(crate) const NONE: Self = Self {
        local: IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED),
        remote: IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED),
        local_port: 0,
        remote_port: 0,
    };

    /// The sum of the pseudo-header of segments between them, either way, but for the length.
    #[inline(always)]
    pub(crate) fn pseudo_header(&self) -> Sum {
        match (&self.local, &self.remote) {
            // Without a copy of either.
            (IpAddr::V4(local), IpAddr::V4(remote)) => Sum::ZERO.add_u64(pseudo_v4(*local, *remote)),
            _ => Sum::ZERO.pseudo_header(self.local, self.remote, Protocol::TCP.0, 0),
        }
    }

    /// Our end.
    pub(crate) fn local(&self) -> SocketAddr {
        SocketAddr::new(self.local, self.local_port)
    }

    /// The peer's end.
    pub(crate) fn remote(&self) -> SocketAddr {
        SocketAddr::new(self.remote, self.remote_port)
    }
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Connection(u32),
    HalfOpen(u32),
    TimeWait(u32),
    Listener(u32),
}

/// The heads of the chains. An entry of the table is a number: connections come first, then half-open ones, memories of
/// closed ones and listeners; each record keeps the entry behind it in its chain.
pub(crate) struct Demux<'s> {
    buckets: ManagedSlice<'s, u32>,
    /// Invariant: a power of two less one, less than the number of buckets (unless there are none).
    mask: u32,
    secret: Secret,
    /// The tuple last looked for and its bucket: a connection that comes or goes is looked for several times in a row.
    latest: (Tuple, u32),
    /// Another keyed hash of that tuple: what strangers see of it tells nothing of the bucket.
    pub(crate) latest_keyed: u64,
    /// The same for a listener's port.
    latest_port: Cell<(u16, u32)>,
    /// The listener found last, and where to; no port stands for none.
    latest_listener: (IpAddr, u16, u32),
    half_open_from: u32,
    time_wait_from: u32,
    listeners_from: u32,
}

impl<'s> Demux<'s> {
    /// An empty table for so many connections, half-open ones and memories.
    pub(crate) fn new(mut buckets: ManagedSlice<'s, u32>, secret: Secret, counts: [usize; 3]) -> Self {
        buckets.fill(NONE);
        let usable = match buckets.len() {
            0 => 1,
            len => 1 << (len.ilog2().min(31)),
        };
        let mask = usable as u32 - 1;
        let [connections, half_open, time_wait] = counts.map(|count| count as u32);
        Self {
            buckets,
            mask,
            // Nobody's tuple has no bucket but the first.
            latest: (Tuple::NONE, 0),
            latest_keyed: 0,
            latest_port: Cell::new((0, secret.hash(&[0; 2]) as u32 & mask)),
            latest_listener: NO_LISTENER,
            secret,
            half_open_from: connections,
            time_wait_from: connections + half_open,
            listeners_from: connections + half_open + time_wait,
        }
    }

    /// The bucket of a tuple that is looked for.
    #[inline]
    fn find_bucket<P: Profile>(&mut self, tuple: &Tuple) -> u32 {
        if self.latest.0 != *tuple {
            let (hash, keyed) = keyed::twice::<P>(&self.secret, tuple);
            self.latest = (*tuple, hash as u32 & self.mask);
            self.latest_keyed = keyed;
        }
        self.latest.1
    }

    /// The bucket of the tuple that was looked for last.
    #[inline]
    pub(crate) fn latest_bucket(&self) -> u32 {
        self.latest.1
    }

    /// The bucket of a handshake that goes: it was mostly looked for just before.
    #[inline]
    fn bucket_of<P: Profile>(&self, tuple: &Tuple) -> u32 {
        if self.latest.0 == *tuple { self.latest.1 } else { self.hash::<P>(tuple) }
    }

    #[inline(never)]
    fn hash<P: Profile>(&self, tuple: &Tuple) -> u32 {
        keyed::twice::<P>(&self.secret, tuple).0 as u32 & self.mask
    }

    fn bucket_of_port(&self, port: u16) -> u32 {
        let (latest, bucket) = self.latest_port.get();
        if latest == port {
            return bucket;
        }
        let bucket = self.secret.hash(&port.to_be_bytes()) as u32 & self.mask;
        self.latest_port.set((port, bucket));
        bucket
    }

    fn head(&self, bucket: u32) -> u32 {
        self.buckets.get(bucket as usize).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, bucket: u32, entry: u32) {
        if let Some(head) = self.buckets.get_mut(bucket as usize) {
            *head = entry;
        }
    }

    #[inline]
    pub(crate) fn entry(&self, found: Found) -> u32 {
        match found {
            Found::Connection(index) => index,
            Found::HalfOpen(index) => self.half_open_from + index,
            Found::TimeWait(index) => self.time_wait_from + index,
            Found::Listener(index) => self.listeners_from + index,
        }
    }

    fn found(&self, entry: u32) -> Found {
        if entry < self.half_open_from {
            Found::Connection(entry)
        } else if entry < self.time_wait_from {
            Found::HalfOpen(entry - self.half_open_from)
        } else if entry < self.listeners_from {
            Found::TimeWait(entry - self.time_wait_from)
        } else {
            Found::Listener(entry - self.listeners_from)
        }
    }
}

/// What is found there before any was.
const NO_LISTENER: (IpAddr, u16, u32) = (IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0, NONE);

impl<P: Profile> Tcp<'_, P> {
    /// What there is between these two ends; never a listener.
    #[inline(always)]
    pub(crate) fn find_here(&mut self, tuple: &Tuple) -> Option<Found> {
        let bucket = self.demux.find_bucket::<P>(tuple);
        let entry = self.demux.head(bucket);
        if P::STRAIGHT {
            // Most chains have one entry or none.
            if entry == NONE {
                return None;
            }
            let (known, next) = self.link_of(entry)?;
            if known == Some(tuple) {
                return Some(self.demux.found(entry));
            }
            if next == NONE {
                return None;
            }
        }
        self.find_from(entry, tuple)
    }

    /// The same where it is not called for each segment.
    #[inline(never)]
    pub(crate) fn find(&mut self, tuple: &Tuple) -> Option<Found> {
        self.find_here(tuple)
    }

    #[inline(never)]
    fn find_from(&self, mut entry: u32, tuple: &Tuple) -> Option<Found> {
        while entry != NONE {
            let (known, next) = self.link_of(entry)?;
            if known == Some(tuple) {
                return Some(self.demux.found(entry));
            }
            entry = next;
        }
        None
    }

    /// The listener for a new connection to this address and port: the one that names both, or else the port, or else
    /// the address, or else neither.
    #[inline]
    pub(crate) fn find_listener(&mut self, address: IpAddr, port: u16) -> Option<u32> {
        let (latest, latest_port, found) = &self.demux.latest_listener;
        if P::STRAIGHT && *latest_port == port && is_same(latest, &address) {
            return Some(*found);
        }
        self.find_listener_anew(address, port)
    }

    #[inline(never)]
    fn find_listener_anew(&mut self, address: IpAddr, port: u16) -> Option<u32> {
        let found = self.listener_on(address, port).or_else(|| self.listener_on(address, 0))?;
        self.demux.latest_listener = (address, port, found);
        Some(found)
    }

    /// A listener comes or goes: what was found last may be found no more.
    pub(crate) fn forget_listener(&mut self) {
        self.demux.latest_listener = NO_LISTENER;
    }

    /// The listener on just this port, 0 standing for every port; one with the address before one without.
    fn listener_on(&self, address: IpAddr, port: u16) -> Option<u32> {
        let mut best = None;
        let mut entry = self.demux.head(self.demux.bucket_of_port(port));
        while entry != NONE {
            let (_, next) = self.link_of(entry)?;
            if let Found::Listener(index) = self.demux.found(entry)
                && let Some(local) = self.listeners.get(index as usize).and_then(|listener| listener.local)
                && local.port.map_or(0, u16::from) == port
            {
                match local.address {
                    Some(bound) if bound == address => return Some(index),
                    None => best = Some(index),
                    Some(_) => {}
                }
            }
            entry = next;
        }
        best
    }

    /// Makes a record findable. It holds its tuple, or its local end, already.
    pub(crate) fn link(&mut self, found: Found) {
        let bucket = self.bucket_of(found);
        self.link_in(bucket, found);
    }

    /// The same for one whose tuple is the last that was looked for.
    #[inline]
    pub(crate) fn link_latest(&mut self, found: Found) {
        let bucket = self.demux.latest.1;
        if let Found::Connection(index) = found
            && let Some(slot) = self.connections.get_mut(index as usize)
        {
            slot.bucket = bucket;
        }
        self.link_in(bucket, found);
    }

    #[inline]
    fn link_in(&mut self, bucket: u32, found: Found) {
        self.set_next(found, self.demux.head(bucket));
        self.demux.set_head(bucket, self.demux.entry(found));
    }

    /// Takes a record out of the table. It still holds its tuple; nothing happens when it is not there.
    pub(crate) fn unlink(&mut self, found: Found) {
        let bucket = self.bucket_of(found);
        let Some((_, behind)) = self.link_of(self.demux.entry(found)) else { return };
        self.point(bucket, found, behind);
    }

    /// Lets segments find the connection that a handshake became; their tuple is the last that was looked for.
    pub(crate) fn take_place(&mut self, half_open: u32, connection: u32) {
        let Some(handshake) = self.half_open.slots.get(half_open as usize) else { return };
        let Some(slot) = self.connections.get_mut(connection as usize) else { return };
        let bucket = self.demux.latest.1;
        (slot.next, slot.bucket) = (handshake.next, bucket);
        self.point(bucket, Found::HalfOpen(half_open), self.demux.entry(Found::Connection(connection)));
    }

    /// Lets what points to a record that is in this bucket point to the entry `other`.
    #[inline]
    pub(crate) fn point(&mut self, bucket: u32, found: Found, other: u32) {
        let goal = self.demux.entry(found);
        match P::STRAIGHT && self.demux.head(bucket) == goal {
            true => self.demux.set_head(bucket, other),
            false => self.point_elsewhere(bucket, goal, other),
        }
    }

    #[inline(never)]
    fn point_elsewhere(&mut self, bucket: u32, goal: u32, other: u32) {
        let mut entry = self.demux.head(bucket);
        if entry == goal {
            return self.demux.set_head(bucket, other);
        }
        while entry != NONE {
            let Some((_, next)) = self.link_of(entry) else { return };
            if next == goal {
                return self.set_next(self.demux.found(entry), other);
            }
            entry = next;
        }
    }

    fn bucket_of(&self, found: Found) -> u32 {
        match found {
            Found::Connection(index) => self.connections.get(index as usize).map_or(0, |slot| slot.bucket),
            Found::TimeWait(index) => self.time_wait.slots.get(index as usize).map_or(0, |slot| slot.bucket),
            Found::HalfOpen(index) => {
                let slot = self.half_open.slots.get(index as usize);
                slot.map_or(0, |slot| self.demux.bucket_of::<P>(&slot.tuple))
            }
            Found::Listener(index) => {
                let local = self.listeners.get(index as usize).and_then(|listener| listener.local);
                self.demux.bucket_of_port(local.and_then(|local| local.port).map_or(0, u16::from))
            }
        }
    }

    /// The tuple of a record, unless it is a listener, and the entry behind it in its chain.
    #[inline]
    fn link_of(&self, entry: u32) -> Option<(Option<&Tuple>, u32)> {
        Some(match self.demux.found(entry) {
            Found::Connection(index) => {
                let slot = self.connections.get(index as usize)?;
                (Some(&slot.tuple), slot.next)
            }
            Found::HalfOpen(index) => {
                let slot = self.half_open.slots.get(index as usize)?;
                (Some(&slot.tuple), slot.next)
            }
            Found::TimeWait(index) => {
                let slot = self.time_wait.slots.get(index as usize)?;
                (Some(&slot.tuple), slot.next)
            }
            Found::Listener(index) => (None, self.listeners.get(index as usize)?.next),
        })
    }

    fn set_next(&mut self, found: Found, next: u32) {
        let place = match found {
            Found::Connection(index) => self.connections.get_mut(index as usize).map(|slot| &mut slot.next),
            Found::HalfOpen(index) => self.half_open.slots.get_mut(index as usize).map(|slot| &mut slot.next),
            Found::TimeWait(index) => self.time_wait.slots.get_mut(index as usize).map(|slot| &mut slot.next),
            Found::Listener(index) => self.listeners.get_mut(index as usize).map(|slot| &mut slot.next),
        };
        if let Some(place) = place {
            *place = next;
        }
    }
}
