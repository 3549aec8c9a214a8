//! The sockets, and how a datagram finds its own.

use core::net::IpAddr;

use managed::ManagedSlice;
use mirage_checksum::Sum;
use mirage_protocols::Protocol;
use mirage_waker::WaitList;

use crate::address::{End, Ends};
use crate::pool::{Index, NONE, Queue, count};
use crate::{Address, Error};

/// Names a socket. After [`close`](crate::Udp::close) it names nothing, also when the slot has another socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId {
    pub(crate) index: Index,
    generation: u32,
}

/// Room for one socket.
#[derive(Debug)]
pub struct SocketSlot<A = IpAddr> {
    /// Changes with each socket that is closed here.
    generation: u32,
    /// The bucket's next socket, or the next free slot.
    next: Index,
    socket: Option<Socket<A>>,
}

impl<A> SocketSlot<A> {
    /// A slot as it is lent.
    pub const EMPTY: Self = Self { generation: 0, next: NONE, socket: None };
}

/// One entry of the hash table; as many as there are sockets is a good number. Only a power of two of them is used.
#[derive(Clone, Debug)]
pub struct Bucket(Index);

impl Bucket {
    /// A bucket as it is lent.
    pub const EMPTY: Self = Self(NONE);
}

#[derive(Debug)]
pub(crate) struct Socket<A> {
    /// `None` for every address of ours.
    pub(crate) address: Option<A>,
    /// 0 for every port.
    pub(crate) port: u16,
    pub(crate) remote: Option<End<A>>,
    pub(crate) incoming: Queue,
    pub(crate) outgoing: Queue,
    /// Who waits for `incoming` and for room in `outgoing`.
    pub(crate) readers: WaitList,
    pub(crate) writers: WaitList,
    /// Said once, then forgotten.
    pub(crate) error: Option<Error>,
    /// Closed, but something is still to be sent. Such a socket is in no bucket and has no name.
    closing: bool,
    /// Whether it is in the list of those that have something to send, and who is next there.
    ready: bool,
    next_ready: Index,
}

impl<A: Address> Socket<A> {
    /// Our end; unspecified for every address.
    #[inline]
    pub(crate) fn own(&self) -> End<A> {
        End { address: self.address.unwrap_or(A::UNSPECIFIED), port: self.port }
    }

    /// How well a datagram matches, or `None` when it is for somebody else: who is connected to its sender comes first,
    /// then who has its address.
    #[inline]
    fn rank(&self, local: End<A>, remote: End<A>) -> Option<u8> {
        let address = match &self.address {
            None => 0,
            Some(address) if *address == local.address => 1,
            Some(_) => return None,
        };
        match &self.remote {
            None => Some(address),
            Some(connected) if *connected == remote => Some(2 + address),
            Some(_) => None,
        }
    }
}

/// Who got a datagram, and its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last<A> {
    pub(crate) ends: Ends<A>,
    /// Invariant: what [`look_up`](Table::look_up) gives for these ends.
    pub(crate) index: Index,
    /// Of both addresses and the protocol, in words.
    pub(crate) sum: u64,
}

#[derive(Debug)]
pub(crate) struct Table<'s, A> {
    slots: ManagedSlice<'s, SocketSlot<A>>,
    buckets: ManagedSlice<'s, Bucket>,
    /// Used buckets less one.
    mask: usize,
    /// Mixed into the hash of ports.
    secret: u32,
    free: Index,
    in_use: u16,
    /// The socket that has every port.
    any: Index,
    /// Who got the last datagram: most are for whom the one before was for.
    last: Option<Last<A>>,
    /// Sockets that have something to send, in the order of their turns.
    first_ready: Index,
    last_ready: Index,
}

impl<'s, A: Address> Table<'s, A> {
    pub(crate) fn new(
        mut slots: ManagedSlice<'s, SocketSlot<A>>,
        mut buckets: ManagedSlice<'s, Bucket>,
        secret: u32,
    ) -> Self {
        let mut free = NONE;
        for (index, slot) in (0..count(&slots)).zip(slots.iter_mut()).rev() {
            *slot = SocketSlot { next: free, ..SocketSlot::EMPTY };
            free = index;
        }
        buckets.fill(Bucket::EMPTY);
        let mask = buckets.len().checked_ilog2().map_or(0, |log| (1_usize << log) - 1);
        Self {
            slots,
            buckets,
            mask,
            secret,
            free,
            in_use: 0,
            any: NONE,
            last: None,
            first_ready: NONE,
            last_ready: NONE,
        }
    }

    /// Sockets in use, closing ones included.
    pub(crate) fn in_use(&self) -> usize {
        self.in_use.into()
    }

    pub(crate) fn has_any(&self) -> bool {
        self.any != NONE
    }

    /// Whether exactly this address and port are taken.
    pub(crate) fn is_bound(&self, address: Option<A>, port: u16) -> bool {
        self.on_port(port).any(|(_, socket)| socket.address == address)
    }

    /// Whether the port is taken on whatever address.
    pub(crate) fn has_port(&self, port: u16) -> bool {
        self.on_port(port).next().is_some()
    }

    /// A new socket; `None` when the table is full. The caller has made sure that address and port are free.
    pub(crate) fn insert(&mut self, address: Option<A>, port: u16) -> Option<SocketId> {
        let index = self.free;
        let slot = self.slots.get_mut(usize::from(index))?;
        self.last = None;
        let bucket = bucket(self.secret, self.mask, port);
        let head = if port == 0 { &mut self.any } else { &mut self.buckets.get_mut(bucket)?.0 };
        self.free = core::mem::replace(&mut slot.next, core::mem::replace(head, index));
        self.in_use += 1;
        slot.socket = Some(Socket {
            address,
            port,
            remote: None,
            incoming: Queue::EMPTY,
            outgoing: Queue::EMPTY,
            readers: WaitList::EMPTY,
            writers: WaitList::EMPTY,
            error: None,
            closing: false,
            ready: false,
            next_ready: NONE,
        });
        Some(SocketId { index, generation: slot.generation })
    }

    /// The socket that `id` names.
    pub(crate) fn named(&mut self, id: SocketId) -> Result<&mut Socket<A>, Error> {
        match self.slots.get_mut(usize::from(id.index)) {
            Some(SocketSlot { generation, socket: Some(socket), .. }) if *generation == id.generation => Ok(socket),
            _ => Err(Error::Closed),
        }
    }

    /// Like [`named`](Self::named), to look only.
    pub(crate) fn peek(&self, id: SocketId) -> Option<&Socket<A>> {
        match self.slots.get(usize::from(id.index)) {
            Some(SocketSlot { generation, socket: Some(socket), .. }) if *generation == id.generation => Some(socket),
            _ => None,
        }
    }

    /// The socket at a place.
    pub(crate) fn at(&mut self, index: Index) -> Option<&mut Socket<A>> {
        self.slots.get_mut(usize::from(index))?.socket.as_mut()
    }

    /// The name of the socket at a place.
    pub(crate) fn name(&self, index: Index) -> SocketId {
        let generation = self.slots.get(usize::from(index)).map_or(0, |slot| slot.generation);
        SocketId { index, generation }
    }

    /// Who gets a datagram: the socket that matches best, or else the one that has every port. Nothing but the socket has to
    /// be found for it: its ends are right.
    #[inline]
    pub(crate) fn find(&mut self, ends: Ends<A>) -> Option<Index> {
        match &self.last {
            Some(last) if last.ends == ends => Some(last.index),
            _ => {
                let index = self.look_up(ends)?;
                let Ends { local, remote } = ends;
                let sum = Sum::ZERO.pseudo_header(remote.address.ip(), local.address.ip(), Protocol::UDP.0, 0);
                self.last = Some(Last { ends, index, sum: sum.words() });
                Some(index)
            }
        }
    }

    /// Who got the datagram before.
    #[inline]
    pub(crate) fn last(&self) -> Option<&Last<A>> {
        self.last.as_ref()
    }

    /// Something that decides who gets a datagram is changed.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    #[inline(never)]
    pub(crate) fn look_up(&self, Ends { local, remote }: Ends<A>) -> Option<Index> {
        let (slots, port) = (&*self.slots, local.port);
        let mut at = self.buckets.get(bucket(self.secret, self.mask, port))?.0;
        let (mut best, mut found) = (0, NONE);
        while let Some(slot) = slots.get(usize::from(at)) {
            if let Some(socket) = &slot.socket
                && socket.port == port
                && let Some(rank) = socket.rank(local, remote)
                && rank >= best
            {
                (best, found) = (rank, at);
            }
            at = slot.next;
        }
        if found == NONE {
            let any = slots.get(usize::from(self.any))?.socket.as_ref()?;
            found = any.rank(local, remote).map(|_| self.any)?;
        }
        Some(found)
    }

    /// Takes the name and the port from a socket. It stays, without them, until [`remove_closed`](Self::remove_closed).
    pub(crate) fn unlink(&mut self, id: SocketId) -> Option<&mut Socket<A>> {
        self.forget();
        let slot = self.slots.get(usize::from(id.index)).filter(|slot| slot.generation == id.generation)?;
        let (port, after) = (slot.socket.as_ref()?.port, slot.next);
        if port == 0 {
            self.any = NONE;
        } else {
            let bucket = self.buckets.get_mut(bucket(self.secret, self.mask, port))?;
            if bucket.0 == id.index {
                bucket.0 = after;
            } else {
                let mut at = bucket.0;
                while let Some(slot) = self.slots.get_mut(usize::from(at)) {
                    if slot.next == id.index {
                        slot.next = after;
                        break;
                    }
                    at = slot.next;
                }
            }
        }
        let slot = self.slots.get_mut(usize::from(id.index))?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.next = NONE;
        let socket = slot.socket.as_mut()?;
        socket.closing = true;
        Some(socket)
    }

    /// Frees the slot of an unlinked socket that has nothing to send any more.
    pub(crate) fn remove_closed(&mut self, index: Index) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        if slot.socket.as_ref().is_some_and(|socket| socket.closing && !socket.ready) {
            slot.socket = None;
            slot.next = self.free;
            self.free = index;
            self.in_use -= 1;
        }
    }

    /// Whose turn it is to send.
    pub(crate) fn first_ready(&self) -> Option<Index> {
        (self.first_ready != NONE).then_some(self.first_ready)
    }

    /// Gives the socket a turn after all others, unless it waits for one.
    pub(crate) fn make_ready(&mut self, index: Index) {
        let last = self.last_ready;
        let Some(socket) = self.at(index) else { return };
        if core::mem::replace(&mut socket.ready, true) {
            return;
        }
        socket.next_ready = NONE;
        match self.at(last) {
            Some(last) => last.next_ready = index,
            None => self.first_ready = index,
        }
        self.last_ready = index;
    }

    /// Whether nobody else waits for a turn, so that the first may go on.
    pub(crate) fn is_alone(&self) -> bool {
        self.first_ready == self.last_ready
    }

    /// Ends the turn of the first.
    pub(crate) fn end_turn(&mut self) {
        let Some(socket) = self.at(self.first_ready) else {
            (self.first_ready, self.last_ready) = (NONE, NONE);
            return;
        };
        socket.ready = false;
        self.first_ready = core::mem::replace(&mut socket.next_ready, NONE);
        if self.first_ready == NONE {
            self.last_ready = NONE;
        }
    }

    fn on_port(&self, port: u16) -> impl Iterator<Item = (Index, &Socket<A>)> {
        let mut at = self.buckets.get(bucket(self.secret, self.mask, port)).map_or(NONE, |bucket| bucket.0);
        core::iter::from_fn(move || {
            let index = at;
            let slot = self.slots.get(usize::from(index))?;
            at = slot.next;
            Some((index, slot.socket.as_ref()?))
        })
        .filter(move |(_, socket)| socket.port == port)
    }
}

/// The bucket of a port. Ports are taken by our own programs and not by strangers, so a multiplication is
/// enough to spread them (Knuth, The Art of Computer Programming, volume 3, §6.4).
fn bucket(secret: u32, mask: usize, port: u16) -> usize {
    ((u32::from(port) ^ secret).wrapping_mul(0x9e37_79b1) >> 16) as usize & mask
}
