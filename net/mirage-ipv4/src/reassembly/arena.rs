//! The lent blocks: taking, giving back, and finding them by a hash.

use managed::ManagedSlice;

use super::block::{Block, Content, Datagram, Link, Piece, Source};

#[derive(Debug)]
pub(super) struct Arena<'s> {
    blocks: ManagedSlice<'s, Block>,
    /// How many of the blocks are used at most.
    capacity: usize,
    /// Blocks from here on were never taken: nobody walks through them at the start.
    fresh: usize,
    /// Blocks that were given back.
    free: Option<Link>,
    in_use: usize,
}

impl<'s> Arena<'s> {
    pub(super) fn new(mut blocks: ManagedSlice<'s, Block>) -> Self {
        // A block that was lent before may still hold something; an empty one is only read, not written.
        for block in blocks.iter_mut() {
            if block.bucket.is_some() || block.rank.is_some() {
                (block.bucket, block.rank) = (None, None);
            }
        }
        let capacity = blocks.len().min(usize::from(u16::MAX) - 1);
        Self { blocks, capacity, fresh: 0, free: None, in_use: 0 }
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) const fn in_use(&self) -> usize {
        self.in_use
    }

    pub(super) const fn available(&self) -> usize {
        self.capacity - self.in_use
    }

    /// Takes a block for `content`.
    pub(super) fn take(&mut self, content: Content) -> Option<Link> {
        let link = match self.free {
            Some(link) => {
                self.free = self.block(link).next;
                link
            }
            None if self.fresh < self.capacity => {
                self.fresh += 1;
                Link::new(self.fresh - 1)?
            }
            None => return None,
        };
        self.in_use += 1;
        let block = self.block_mut(link);
        block.next = None;
        block.content = content;
        Some(link)
    }

    /// Gives back a block that is in no bucket.
    pub(super) fn give(&mut self, link: Link) {
        let free = self.free.replace(link);
        self.in_use -= 1;
        let block = self.block_mut(link);
        block.next = free;
        block.content = Content::Nothing;
    }

    /// Makes a datagram's or a source's block one that [`find`](Self::find) finds.
    pub(super) fn enter(&mut self, hash: u32, link: Link) {
        let bucket = self.bucket(hash);
        let first = self.blocks[bucket].bucket.replace(link);
        self.block_mut(link).next = first;
    }

    /// Undoes [`enter`](Self::enter).
    pub(super) fn leave(&mut self, hash: u32, link: Link) {
        let bucket = self.bucket(hash);
        let after = self.block(link).next;
        if self.blocks[bucket].bucket == Some(link) {
            self.blocks[bucket].bucket = after;
            return;
        }
        let mut walk = self.blocks[bucket].bucket;
        while let Some(before) = walk {
            walk = self.block(before).next;
            if walk == Some(link) {
                self.block_mut(before).next = after;
                return;
            }
        }
    }

    /// The entered block with this hash that `is` meant. There are more buckets than entries and the hash is keyed, so
    /// a bucket holds one or two whatever strangers send.
    pub(super) fn find(&self, hash: u32, is: impl Fn(&Content) -> bool) -> Option<Link> {
        let mut walk = self.blocks.get(self.bucket(hash))?.bucket;
        while let Some(link) = walk {
            let block = self.block(link);
            if is(&block.content) {
                return Some(link);
            }
            walk = block.next;
        }
        None
    }

    /// The source at a place of the ranking.
    pub(super) fn ranked(&self, place: usize) -> Option<Link> {
        self.blocks.get(place)?.rank
    }

    /// Puts a source at a place of the ranking.
    pub(super) fn set_ranked(&mut self, place: usize, source: Option<Link>) {
        if let Some(block) = self.blocks.get_mut(place) {
            block.rank = source;
        }
    }

    pub(super) fn datagram(&self, link: Link) -> &Datagram {
        let Content::Datagram(datagram) = &self.block(link).content else { wrong() };
        datagram
    }

    pub(super) fn datagram_mut(&mut self, link: Link) -> &mut Datagram {
        let Content::Datagram(datagram) = &mut self.block_mut(link).content else { wrong() };
        datagram
    }

    pub(super) fn source(&self, link: Link) -> &Source {
        let Content::Source(source) = &self.block(link).content else { wrong() };
        source
    }

    pub(super) fn source_mut(&mut self, link: Link) -> &mut Source {
        let Content::Source(source) = &mut self.block_mut(link).content else { wrong() };
        source
    }

    pub(super) fn piece(&self, link: Link) -> &Piece {
        let Content::Piece(piece) = &self.block(link).content else { wrong() };
        piece
    }

    pub(super) fn piece_mut(&mut self, link: Link) -> &mut Piece {
        let Content::Piece(piece) = &mut self.block_mut(link).content else { wrong() };
        piece
    }

    const fn bucket(&self, hash: u32) -> usize {
        ((hash as u64 * self.capacity as u64) >> 32) as usize
    }

    fn block(&self, link: Link) -> &Block {
        &self.blocks[link.index()]
    }

    fn block_mut(&mut self, link: Link) -> &mut Block {
        &mut self.blocks[link.index()]
    }
}

/// Never: links are private to this module's parent, typed by the list they are in, and die with the block.
#[cold]
fn wrong() -> ! {
    panic!("a link leads to what it was made for")
}
