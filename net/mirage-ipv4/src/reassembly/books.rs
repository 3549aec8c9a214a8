//! Who holds what: opening and removing datagrams, keeping the accounts of sources, and making room.

use core::net::Ipv4Addr;

use mirage_clock::Instant;
use mirage_protocols::{Cast, InterfaceId};

use super::Reassembly;
use super::block::{Block, Content, Datagram, Ends, Key, Link, Neighbours, Source};
use crate::Discard;
use crate::wire::MAX_HEADER_LEN;

impl Reassembly<'_> {
    pub(super) fn hash(&self, key: &Key) -> u32 {
        let [a, b, c, d] = key.source.octets();
        let [e, f, g, h] = key.destination.octets();
        let [i, j] = key.identification.to_be_bytes();
        self.secret.hash(&[b'd', key.protocol, a, b, c, d, e, f, g, h, i, j]) as u32
    }

    pub(super) fn find(&self, hash: u32, key: &Key) -> Option<Link> {
        self.arena.find(hash, |content| matches!(content, Content::Datagram(datagram) if datagram.key == *key))
    }

    fn hash_source(&self, address: Ipv4Addr) -> u32 {
        let [a, b, c, d] = address.octets();
        self.secret.hash(&[b's', a, b, c, d]) as u32
    }

    /// Evicts until there is room for `pieces` more blocks of a datagram from `address`: of `current`, or of a new
    /// one. Gives the books of the source, if it has any yet.
    ///
    /// Who asks for more than a source may have pays with its own oldest datagram; otherwise the source that holds
    /// most pays, so that a flood from one address cannot shut out another.
    pub(super) fn make_room(
        &mut self,
        now: Instant,
        address: Ipv4Addr,
        current: Option<Link>,
        pieces: usize,
    ) -> Result<Option<Link>, Discard> {
        let hash = self.hash_source(address);
        let opens = usize::from(current.is_none());
        // Each turn removes a datagram.
        loop {
            let owner = self
                .arena
                .find(hash, |content| matches!(content, Content::Source(source) if source.address == address));
            let source = owner.map(|owner| self.arena.source(owner));
            let blocks = source.map_or(0, |source| usize::from(source.blocks)) + opens + pieces;
            let is_greedy = blocks * Block::PAYLOAD > self.limits.bytes_per_source as usize
                || source.map_or(0, |source| source.fragments) >= self.limits.fragments_per_source;
            let is_full = (current.is_none() && self.datagrams >= self.limits.datagrams)
                || self.arena.available() < pieces + opens + usize::from(owner.is_none());
            let victim = if is_greedy {
                source.and_then(|source| source.ends.oldest)
            } else if is_full {
                self.victim(now)
            } else {
                return Ok(owner);
            };
            let victim = victim.ok_or(Discard::NoMemory)?;
            self.remove(victim);
            if current == Some(victim) {
                return Err(Discard::NoMemory);
            }
        }
    }

    /// A datagram whose time is over, or the oldest of the source that holds most.
    fn victim(&self, now: Instant) -> Option<Link> {
        let oldest = self.ends.oldest?;
        if self.arena.datagram(oldest).deadline <= now {
            return Some(oldest);
        }
        self.arena.source(self.ranking.first(&self.arena)?).ends.oldest
    }

    /// Opens the books of a datagram, and of its source where it has none.
    pub(super) fn open(
        &mut self,
        now: Instant,
        key: Key,
        hash: u32,
        owner: Option<Link>,
        interface: InterfaceId,
        cast: Cast,
    ) -> Result<Link, Discard> {
        let owner = match owner {
            Some(owner) => owner,
            None => self.open_source(key.source)?,
        };
        let of_all = Neighbours { older: self.ends.youngest, younger: None };
        let of_source = Neighbours { older: self.arena.source(owner).ends.youngest, younger: None };
        let datagram = Datagram {
            key,
            hash,
            owner,
            deadline: now + self.limits.timeout,
            interface,
            cast,
            dropped: false,
            fragments: 0,
            received: 0,
            end: 0,
            total: None,
            header_len: 0,
            header: [0; MAX_HEADER_LEN],
            of_all,
            of_source,
            pieces: [const { None }; _],
        };
        let link = self.arena.take(Content::Datagram(datagram)).ok_or(Discard::NoMemory)?;
        self.arena.enter(hash, link);
        self.datagrams += 1;
        match of_all.older {
            Some(older) => self.arena.datagram_mut(older).of_all.younger = Some(link),
            None => self.ends.oldest = Some(link),
        }
        self.ends.youngest = Some(link);
        if let Some(older) = of_source.older {
            self.arena.datagram_mut(older).of_source.younger = Some(link);
        }
        let source = self.arena.source_mut(owner);
        source.ends.youngest = Some(link);
        source.ends.oldest = source.ends.oldest.or(Some(link));
        source.datagrams += 1;
        source.blocks += 1;
        self.rank(owner);
        Ok(link)
    }

    fn open_source(&mut self, address: Ipv4Addr) -> Result<Link, Discard> {
        let hash = self.hash_source(address);
        let source =
            Source { address, hash, datagrams: 0, blocks: 0, fragments: 0, ends: Ends::default(), share: 0, place: 0 };
        let link = self.arena.take(Content::Source(source)).ok_or(Discard::NoMemory)?;
        self.arena.enter(hash, link);
        self.ranking.enter(&mut self.arena, link);
        Ok(link)
    }

    /// Drops what a datagram holds and remembers until its time is over that it was dropped (RFC 5722 §4).
    pub(super) fn abandon(&mut self, link: Link) {
        let datagram = self.arena.datagram_mut(link);
        let pieces = datagram.pieces;
        let (owner, fragments) = (datagram.owner, datagram.fragments);
        datagram.pieces.fill(None);
        datagram.dropped = true;
        datagram.fragments = 0;
        let mut given = 0;
        for piece in pieces.into_iter().flatten() {
            self.arena.give(piece);
            given += 1;
        }
        let source = self.arena.source_mut(owner);
        source.blocks -= given;
        source.fragments -= u32::from(fragments);
        self.rank(owner);
    }

    /// Forgets a datagram, and its source if that was its last.
    pub(super) fn remove(&mut self, link: Link) {
        self.abandon(link);
        let Datagram { owner, hash, of_all, of_source, .. } = *self.arena.datagram(link);
        match of_all.older {
            Some(older) => self.arena.datagram_mut(older).of_all.younger = of_all.younger,
            None => self.ends.oldest = of_all.younger,
        }
        match of_all.younger {
            Some(younger) => self.arena.datagram_mut(younger).of_all.older = of_all.older,
            None => self.ends.youngest = of_all.older,
        }
        match of_source.older {
            Some(older) => self.arena.datagram_mut(older).of_source.younger = of_source.younger,
            None => self.arena.source_mut(owner).ends.oldest = of_source.younger,
        }
        match of_source.younger {
            Some(younger) => self.arena.datagram_mut(younger).of_source.older = of_source.older,
            None => self.arena.source_mut(owner).ends.youngest = of_source.older,
        }
        self.arena.leave(hash, link);
        self.arena.give(link);
        self.datagrams -= 1;
        let source = self.arena.source_mut(owner);
        source.datagrams -= 1;
        source.blocks -= 1;
        if source.datagrams > 0 {
            self.rank(owner);
            return;
        }
        let hash = source.hash;
        self.ranking.leave(&mut self.arena, owner);
        self.arena.leave(hash, owner);
        self.arena.give(owner);
    }

    /// Puts a source to its place in the ranking: by blocks or by datagrams, whichever is the larger part of all there
    /// are. A thousand small datagrams and one large one are measured alike.
    pub(super) fn rank(&mut self, link: Link) {
        let capacity = self.arena.capacity() as u32;
        let source = self.arena.source_mut(link);
        let by_datagrams = u32::from(source.datagrams) * capacity / u32::from(self.limits.datagrams).max(1);
        source.share = by_datagrams.max(source.blocks.into());
        self.ranking.changed(&mut self.arena, link);
    }
}
