//! All neighbours: a hash table whose entries are also in one list for each state.

use core::net::Ipv4Addr;

use managed::ManagedSlice;
use mirage_clock::Instant;
use mirage_net::MacAddress;
use mirage_protocols::LinkHeader;
use mirage_secret::Secret;

use crate::entry::{Entry, NONE, State};

/// Finds, inserts and removes in constant time; the oldest in each state is known.
#[derive(Debug)]
pub(crate) struct Cache<'s> {
    entries: ManagedSlice<'s, Entry>,
    /// How many of `entries` are used. Invariant: at most `NONE`.
    len: u16,
    /// Front and back for each state, and how many are between.
    lists: [List; State::COUNT],
    /// The last neighbour that was sent to: most packets go where the one before went. Invariant: follows from the
    /// entries, any change of which makes it expire.
    fresh: Fresh,
    secret: Secret,
}

/// A neighbour of which nothing has to be looked up or noted before a certain time.
#[derive(Clone, Copy, Debug)]
struct Fresh {
    ip: Ipv4Addr,
    mac: MacAddress,
    until: Instant,
    /// Of IPv4 packets to it, where the link has one.
    header: Option<LinkHeader>,
}

#[derive(Clone, Copy, Debug)]
struct List {
    front: u16,
    back: u16,
    len: u16,
}

impl<'s> Cache<'s> {
    pub(crate) fn new(mut entries: ManagedSlice<'s, Entry>, secret: &[u8; 16]) -> Self {
        entries.fill(Entry::EMPTY);
        let len = u16::try_from(entries.len()).unwrap_or(NONE);
        let lists = [List { front: NONE, back: NONE, len: 0 }; State::COUNT];
        let fresh =
            Fresh { ip: Ipv4Addr::UNSPECIFIED, mac: MacAddress::UNSPECIFIED, until: Instant::ZERO, header: None };
        let mut cache = Self { entries, len, lists, fresh, secret: Secret::new(*secret) };
        for index in 0..len {
            cache.push_back(index, State::Free);
        }
        cache
    }

    pub(crate) fn get(&self, index: u16) -> Option<&Entry> {
        // `NONE` names nothing even where the slice is longer.
        if index == NONE { None } else { self.entries.get(usize::from(index)) }
    }

    pub(crate) fn get_mut(&mut self, index: u16) -> Option<&mut Entry> {
        self.fresh.until = Instant::ZERO;
        if index == NONE { None } else { self.entries.get_mut(usize::from(index)) }
    }

    /// Whether it was `ip` that was sent to last, and nothing has to be done about it.
    #[inline]
    pub(crate) fn is_fresh(&self, now: Instant, ip: Ipv4Addr) -> bool {
        now < self.fresh.until && self.fresh.ip == ip
    }

    /// The address of the neighbour that [`is_fresh`](Self::is_fresh).
    #[inline]
    pub(crate) fn last(&self) -> MacAddress {
        self.fresh.mac
    }

    /// The header of IPv4 packets to the neighbour that [`is_fresh`](Self::is_fresh).
    #[inline]
    pub(crate) fn header(&self) -> Option<LinkHeader> {
        self.fresh.header
    }

    /// From now on this neighbour is fresh until `until`, unless anything changes.
    pub(crate) fn keep_fresh(&mut self, ip: Ipv4Addr, mac: MacAddress, until: Instant, header: Option<LinkHeader>) {
        self.fresh = Fresh { ip, mac, until, header };
    }

    /// The neighbour `ip`, in whatever state.
    pub(crate) fn find(&self, ip: Ipv4Addr) -> Option<u16> {
        let mut at = self.get(self.bucket(ip))?.bucket;
        while let Some(entry) = self.get(at) {
            if entry.ip == ip {
                return Some(at);
            }
            at = entry.chain;
        }
        None
    }

    /// Takes a free place for `ip`, which is not in the table yet.
    pub(crate) fn insert(&mut self, ip: Ipv4Addr, state: State) -> Option<u16> {
        let index = self.front(State::Free)?;
        let bucket = self.bucket(ip);
        let chain = core::mem::replace(&mut self.get_mut(bucket)?.bucket, index);
        let entry = self.get_mut(index)?;
        *entry = Entry { bucket: entry.bucket, before: entry.before, after: entry.after, ip, chain, ..Entry::EMPTY };
        self.move_to(index, state);
        Some(index)
    }

    /// Frees the place of a neighbour.
    pub(crate) fn remove(&mut self, index: u16) {
        let Some(&Entry { ip, chain, .. }) = self.get(index) else { return };
        let bucket = self.bucket(ip);
        // The chain is one or two long on average: the table has a bucket for each entry.
        let mut at = match self.get_mut(bucket) {
            Some(head) if head.bucket == index => {
                head.bucket = chain;
                NONE
            }
            Some(head) => head.bucket,
            None => NONE,
        };
        while let Some(entry) = self.get_mut(at) {
            if entry.chain == index {
                entry.chain = chain;
                break;
            }
            at = entry.chain;
        }
        self.move_to(index, State::Free);
    }

    /// Moves an entry to the back of the list of `state`.
    pub(crate) fn move_to(&mut self, index: u16, state: State) {
        let Some(&Entry { before, after, state: old, .. }) = self.get(index) else { return };
        match self.get_mut(before) {
            Some(entry) => entry.after = after,
            None => self.lists[old as usize].front = after,
        }
        match self.get_mut(after) {
            Some(entry) => entry.before = before,
            None => self.lists[old as usize].back = before,
        }
        self.lists[old as usize].len -= 1;
        self.push_back(index, state);
    }

    /// The first in `state`.
    pub(crate) fn front(&self, state: State) -> Option<u16> {
        match self.lists[state as usize].front {
            NONE => None,
            index => Some(index),
        }
    }

    /// How many are in `state`.
    pub(crate) fn count(&self, state: State) -> u16 {
        self.lists[state as usize].len
    }

    /// Notes that `index`, which is `Resolved`, was used.
    pub(crate) fn used(&mut self, index: u16, now: Instant) {
        if let Some(entry) = self.get_mut(index) {
            entry.used = now;
            self.move_to(index, State::Resolved);
        }
    }

    fn push_back(&mut self, index: u16, state: State) {
        let List { back, .. } = self.lists[state as usize];
        if let Some(entry) = self.get_mut(index) {
            (entry.state, entry.before, entry.after) = (state, back, NONE);
        }
        match self.get_mut(back) {
            Some(entry) => entry.after = index,
            None => self.lists[state as usize].front = index,
        }
        let list = &mut self.lists[state as usize];
        list.back = index;
        list.len += 1;
    }

    /// The place whose `bucket` starts the chain of `ip`. The key is secret, so nobody can choose addresses that
    /// collide.
    fn bucket(&self, ip: Ipv4Addr) -> u16 {
        // Below `len`: the upper half of a product with a 32-bit fraction.
        (((self.secret.hash(&ip.octets()) >> 32) * u64::from(self.len)) >> 32) as u16
    }
}
