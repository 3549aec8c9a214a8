//! Where a fragment goes in its datagram: comparing it with what is there, and storing it.

use super::Reassembly;
use super::block::{Block, Content, Link, Piece, UNITS};
use crate::Discard;
use crate::wire::Parsed;

/// The part of a datagram's payload that a fragment carries, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Invariant: a multiple of eight, below `end`.
    pub(super) start: usize,
    /// Invariant: at most 65,515; a multiple of eight if there are more.
    pub(super) end: usize,
    /// It is not the last.
    pub(super) more: bool,
}

/// The part of one block that a fragment covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Which block of the datagram.
    block: usize,
    /// A bit for each unit.
    units: u64,
    /// The bytes within the block.
    from: usize,
    to: usize,
}

impl Place {
    /// The blocks that the fragment touches, each with the part of it.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Part> + '_ {
        let first = self.start / Block::PAYLOAD;
        let last = (self.end - 1) / Block::PAYLOAD;
        (first..=last).map(move |block| self.part(block))
    }

    #[inline(never)]
    fn part(&self, block: usize) -> Part {
        let base = block * Block::PAYLOAD;
        let from = self.start.saturating_sub(base);
        let to = (self.end - base).min(Block::PAYLOAD);
        let (low, high) = (from / 8, to.div_ceil(8));
        let units = (u64::MAX << low) & (u64::MAX >> (UNITS - high));
        Part { block, units, from, to }
    }

    /// The bit of the fragment's first unit in its first block.
    const fn first_unit(self) -> u64 {
        1 << (self.start / 8 % UNITS)
    }
}

impl Reassembly<'_> {
    /// How many new blocks the fragment needs, if it fits to what is there.
    pub(super) fn compare(&self, datagram: Link, place: &Place, payload: &[u8]) -> Result<usize, Discard> {
        let books = self.arena.datagram(datagram);
        if books.dropped {
            return Err(Discard::DroppedDatagram);
        }
        let fits_the_end = match (books.total, place.more) {
            (Some(total), true) => place.end < total,
            (Some(total), false) => place.end == total,
            (None, true) => true,
            (None, false) => books.end <= place.end,
        };
        if !fits_the_end {
            return Err(Discard::InconsistentEnd);
        }
        let (mut missing, mut overlap, mut same) = (0, false, true);
        let mut start = place.first_unit();
        let mut rest = payload;
        for part in place.blocks() {
            let (bytes, behind) = rest.split_at(part.to - part.from);
            rest = behind;
            match books.pieces[part.block] {
                None => (missing, same) = (missing + 1, false),
                Some(piece) => {
                    let piece = self.arena.piece(piece);
                    overlap |= piece.filled & part.units != 0;
                    same &= piece.filled & part.units == part.units
                        && piece.starts & part.units == start
                        && piece.bytes[part.from..part.to] == *bytes;
                }
            }
            start = 0;
        }
        if !overlap && books.fragments >= self.limits.fragments_per_datagram {
            return Err(Discard::TooManyFragments);
        }
        match (overlap, same && self.ends_at(datagram, place)) {
            (false, _) => Ok(missing),
            // RFC 8200 §4.5: "exact duplicates … may be ignored"; RFC 5722 has no such mercy, networks duplicate.
            (true, true) => Err(Discard::DuplicateFragment),
            (true, false) => Err(Discard::OverlappingFragment),
        }
    }

    /// Whether the fragment that is stored at the start of `place` ends where `place` ends.
    fn ends_at(&self, datagram: Link, place: &Place) -> bool {
        let books = self.arena.datagram(datagram);
        if !place.more {
            return books.total == Some(place.end);
        }
        let unit = 1 << (place.end / 8 % UNITS);
        match books.pieces.get(place.end / Block::PAYLOAD).copied().flatten().map(|piece| self.arena.piece(piece)) {
            Some(piece) => piece.filled & unit == 0 || piece.starts & unit != 0,
            None => true,
        }
    }

    /// Writes the fragment to its place, for which there is room.
    pub(super) fn store(&mut self, datagram: Link, place: &Place, packet: &Parsed<'_>) -> Result<(), Discard> {
        let mut start = place.first_unit();
        let mut rest = packet.payload;
        let mut taken = 0;
        for part in place.blocks() {
            let (bytes, behind) = rest.split_at(part.to - part.from);
            rest = behind;
            let piece = match self.arena.datagram(datagram).pieces[part.block] {
                Some(piece) => piece,
                None => {
                    let empty = Piece { filled: 0, starts: 0, bytes: [0; Block::PAYLOAD] };
                    let piece = self.arena.take(Content::Piece(empty)).ok_or(Discard::NoMemory)?;
                    self.arena.datagram_mut(datagram).pieces[part.block] = Some(piece);
                    taken += 1;
                    piece
                }
            };
            let piece = self.arena.piece_mut(piece);
            // Copy: the frame's buffer goes back to the device before the next fragment comes.
            piece.bytes[part.from..part.to].copy_from_slice(bytes);
            piece.filled |= part.units;
            piece.starts |= start;
            start = 0;
        }
        let books = self.arena.datagram_mut(datagram);
        books.fragments += 1;
        books.received += place.end - place.start;
        books.end = books.end.max(place.end);
        if !place.more {
            books.total = Some(place.end);
        }
        if place.start == 0
            && let Some(header) = books.header.get_mut(..packet.header_bytes.len())
        {
            header.copy_from_slice(packet.header_bytes);
            books.header_len = packet.header_bytes.len();
        }
        let owner = books.owner;
        let source = self.arena.source_mut(owner);
        source.blocks += taken;
        source.fragments += 1;
        self.rank(owner);
        Ok(())
    }
}
