//! Putting fragments together again (RFC 791 §3.2, RFC 815, RFC 5722, RFC 8900).
//!
//! A datagram is not a list of fragments but a table of blocks by place, each with a bit for every eight bytes: a
//! fragment goes straight to its place whatever came before, an overlap is one `&`, and the datagram is whole when as
//! many bytes came as the last fragment says. Nothing is searched or sorted, so there is no order of arrival that is
//! slow (FragmentSmack, CVE-2018-5391).

mod arena;
mod block;
mod books;
mod check;
mod deliver;
mod place;
mod ranking;

use managed::ManagedSlice;
use mirage_clock::Instant;
use mirage_protocols::{Cast, InterfaceId, Protocol};
use mirage_secret::Secret;

use self::arena::Arena;
use self::block::{Ends, Key, Link};
use self::place::Place;
use self::ranking::Ranking;
use crate::wire::{MAX_LEN, Parsed};
use crate::{Discard, Limits};

pub use self::block::Block;
pub(crate) use self::deliver::Whole;

/// The datagrams that wait for fragments.
#[derive(Debug)]
pub(crate) struct Reassembly<'s> {
    arena: Arena<'s>,
    /// Where a datagram lies in one piece while it is handed up.
    assembly: ManagedSlice<'s, u8>,
    limits: Limits,
    secret: Secret,
    datagrams: u16,
    /// All datagrams in the order in which they time out.
    ends: Ends,
    ranking: Ranking,
}

impl<'s> Reassembly<'s> {
    pub(crate) fn new(
        blocks: ManagedSlice<'s, Block>,
        assembly: ManagedSlice<'s, u8>,
        limits: Limits,
        secret: &[u8; 16],
    ) -> Self {
        Self {
            arena: Arena::new(blocks),
            assembly,
            limits,
            secret: Secret::new(*secret),
            datagrams: 0,
            ends: Ends::default(),
            ranking: Ranking::default(),
        }
    }

    /// Blocks that hold something now.
    pub(crate) fn blocks_in_use(&self) -> usize {
        self.arena.in_use()
    }

    /// Takes a fragment; gives the datagram that it completes.
    pub(crate) fn input(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        cast: Cast,
        packet: &Parsed<'_>,
    ) -> Result<Option<Whole>, Discard> {
        let result = self.take(now, interface, cast, packet);
        self.check();
        result
    }

    fn take(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        cast: Cast,
        packet: &Parsed<'_>,
    ) -> Result<Option<Whole>, Discard> {
        let place = self.examine(packet)?;
        let key = Key {
            source: packet.source(),
            destination: packet.destination(),
            identification: packet.header.identification.get(),
            protocol: packet.header.protocol,
        };
        let hash = self.hash(&key);
        let known = self.find_in_time(now, hash, &key);
        let missing = match known {
            Some(datagram) => match self.compare(datagram, &place, packet.payload) {
                Ok(missing) => missing,
                Err(harmless @ (Discard::DuplicateFragment | Discard::DroppedDatagram)) => return Err(harmless),
                Err(contradiction) => {
                    self.abandon(datagram);
                    return Err(contradiction);
                }
            },
            None => place.blocks().count(),
        };
        let owner = self.make_room(now, key.source, known, missing)?;
        let datagram = match known {
            Some(datagram) => datagram,
            None => self.open(now, key, hash, owner, interface, cast)?,
        };
        self.store(datagram, &place, packet)?;
        self.deliver(datagram)
    }

    /// When the oldest datagram times out.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.ends.oldest.map(|oldest| self.arena.datagram(oldest).deadline)
    }

    /// What a fragment can be refused for without knowing the others.
    fn examine(&self, packet: &Parsed<'_>) -> Result<Place, Discard> {
        let (offset, more) = (usize::from(packet.header.offset()), packet.header.more_fragments());
        let len = packet.payload.len();
        if len == 0 {
            return Err(Discard::EmptyFragment);
        }
        if more && !len.is_multiple_of(8) {
            return Err(Discard::UnalignedFragment);
        }
        // RFC 1858 §3.2.2 and RFC 3128: the flags of a TCP segment must be in the first fragment and stay there.
        if packet.protocol() == Protocol::TCP && (offset == 8 || (offset == 0 && len < 20)) {
            return Err(Discard::TinyFragment);
        }
        let end = offset + len;
        if packet.header_bytes.len() + end > MAX_LEN.min(self.assembly.len()) {
            return Err(Discard::OversizedDatagram);
        }
        Ok(Place { start: offset, end, more })
    }

    /// The datagram with this key. One whose time is over is dropped: the fragment begins another.
    fn find_in_time(&mut self, now: Instant, hash: u32, key: &Key) -> Option<Link> {
        let found = self.find(hash, key)?;
        if self.arena.datagram(found).deadline > now {
            return Some(found);
        }
        self.remove(found);
        None
    }
}
