//! What the arena of reassembly is made of.

use core::net::Ipv4Addr;
use core::num::NonZeroU16;

use mirage_clock::Instant;
use mirage_protocols::{Cast, InterfaceId};

use crate::wire::{MAX_HEADER_LEN, MAX_LEN};

/// A unit of the memory for reassembly: holds 512 bytes of payload or the books of a datagram or of a source.
///
/// It is all zeroes when empty, so that a `static` array of them takes no room in an image.
#[derive(Clone, Debug)]
pub struct Block {
    /// First datagram or source whose hash falls on this block's number, whatever the block itself holds.
    pub(super) bucket: Option<Link>,
    /// The source at this place in the ranking, whatever the block itself holds.
    pub(super) rank: Option<Link>,
    /// The next block in the same bucket, or the next free block.
    pub(super) next: Option<Link>,
    pub(super) content: Content,
}

impl Block {
    /// A block that holds nothing: `[Block::EMPTY; 256]`.
    pub const EMPTY: Self = Self { bucket: None, rank: None, next: None, content: Content::Nothing };
    /// Bytes of payload in a block.
    pub const PAYLOAD: usize = UNITS * 8;
}

impl Default for Block {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// The number of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link(NonZeroU16);

impl Link {
    /// The block at `index`; `None` for the one index too many.
    pub(super) fn new(index: usize) -> Option<Self> {
        let number = u16::try_from(index).ok()?.checked_add(1)?;
        NonZeroU16::new(number).map(Self)
    }

    pub(super) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What a block holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Nothing,
    Piece(Piece),
    Datagram(Datagram),
    Source(Source),
}

/// 512 bytes of a datagram's payload, of which some have come: a bit for each unit of eight bytes.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The unit is here.
    pub(super) filled: u64,
    /// The unit is the first of a fragment. Invariant: a subset of `filled`.
    pub(super) starts: u64,
    pub(super) bytes: [u8; Block::PAYLOAD],
}

/// What holds the fragments of a datagram together (RFC 791 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) identification: u16,
    pub(super) protocol: u8,
}

/// A datagram that waits for fragments.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub(super) key: Key,
    pub(super) hash: u32,
    /// Its source's block.
    pub(super) owner: Link,
    pub(super) deadline: Instant,
    pub(super) interface: InterfaceId,
    pub(super) cast: Cast,
    /// It contradicted itself. It holds nothing and only keeps later fragments out.
    pub(super) dropped: bool,
    /// How many fragments came.
    pub(super) fragments: u16,
    /// How many bytes of payload came. They do not overlap, so the datagram is whole when this is `total`.
    pub(super) received: usize,
    /// Where the fragment that reaches farthest ends.
    pub(super) end: usize,
    /// Where the last fragment ends, if it came.
    pub(super) total: Option<usize>,
    /// Length of the first fragment's header; 0 until that came.
    pub(super) header_len: usize,
    pub(super) header: [u8; MAX_HEADER_LEN],
    /// Neighbours in the order of arrival, among all and among those of one source.
    pub(super) of_all: Neighbours,
    pub(super) of_source: Neighbours,
    /// The payload by its place, one block for each 512 bytes.
    pub(super) pieces: [Option<Link>; PIECES],
}

/// The next older and the next younger datagram in a list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbours {
    pub(super) older: Option<Link>,
    pub(super) younger: Option<Link>,
}

/// The ends of a list of datagrams in the order of arrival.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    pub(super) oldest: Option<Link>,
    pub(super) youngest: Option<Link>,
}

/// What one source address holds.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) address: Ipv4Addr,
    pub(super) hash: u32,
    pub(super) datagrams: u16,
    /// Blocks of its datagrams and of their pieces.
    pub(super) blocks: u16,
    pub(super) fragments: u32,
    pub(super) ends: Ends,
    /// How much it takes from others; orders the ranking.
    pub(super) share: u32,
    /// Its place in the ranking.
    pub(super) place: usize,
}

/// Units of eight bytes in a block: one bit of a word for each.
pub(super) const UNITS: usize = 64;
/// Blocks of the longest payload.
const PIECES: usize = MAX_LEN.div_ceil(Block::PAYLOAD);
