//! The pool of blocks that all sockets share, and the queues in it.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use managed::ManagedSlice;
use mirage_checksum::{Sum, copy_and_sum};

/// A place in one of the lent slices.
pub(crate) type Index = u16;

/// No place.
pub(crate) const NONE: Index = Index::MAX;

/// A piece of a queued datagram.
#[derive(Clone, Debug)]
pub struct Block {
    /// The datagram's next block, or the next free one.
    next: Index,
    bytes: [u8; Self::SIZE],
}

impl Block {
    /// Bytes of datagram that one block holds.
    pub const SIZE: usize = 256;
    /// A block as it is lent.
    pub const EMPTY: Self = Self { next: NONE, bytes: [0; Self::SIZE] };
}

/// What is known of a queued datagram besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct DatagramSlot {
    /// The queue's next datagram, or the next free slot.
    next: Index,
    first: Index,
    /// At most 65,507 bytes.
    pub(crate) len: u16,
    /// Sum of the bytes.
    pub(crate) sum: Sum,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl DatagramSlot {
    /// A slot as it is lent.
    pub const EMPTY: Self = Self { next: NONE, first: NONE, len: 0, sum: Sum::ZERO, local: NOWHERE, remote: NOWHERE };
}

const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// How much one queue of one socket may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Payload in bytes.
    pub bytes: usize,
    /// Datagrams, also empty ones.
    pub datagrams: usize,
}

/// Datagrams in the order in which they came; all it holds is in a [`Pool`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    first: Index,
    last: Index,
    datagrams: u16,
    blocks: u16,
    bytes: usize,
}

impl Queue {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE, datagrams: 0, blocks: 0, bytes: 0 };

    pub(crate) const fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

/// Why a queue takes nothing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is full itself.
    Queue,
    /// What all share is used up.
    Pool,
}

/// A datagram's bytes in the pool, not yet in a queue. It must be appended or freed.
#[must_use]
pub(crate) struct Stored {
    first: Index,
    len: u16,
    pub(crate) sum: Sum,
}

/// Lent blocks and slots, free or in a queue.
#[derive(Debug)]
pub(crate) struct Pool<'s> {
    blocks: ManagedSlice<'s, Block>,
    datagrams: ManagedSlice<'s, DatagramSlot>,
    free_block: Index,
    free_datagram: Index,
    /// Invariant: lengths of the free lists.
    free_blocks: u16,
    free_datagrams: u16,
}

impl<'s> Pool<'s> {
    /// All free. Of more than 65,535 blocks or slots the rest stays unused.
    pub(crate) fn new(mut blocks: ManagedSlice<'s, Block>, mut datagrams: ManagedSlice<'s, DatagramSlot>) -> Self {
        let (free_blocks, free_datagrams) = (count(&blocks), count(&datagrams));
        let (mut free_block, mut free_datagram) = (NONE, NONE);
        for (index, block) in (0..free_blocks).zip(blocks.iter_mut()) {
            block.next = free_block;
            free_block = index;
        }
        for (index, slot) in (0..free_datagrams).zip(datagrams.iter_mut()) {
            slot.next = free_datagram;
            free_datagram = index;
        }
        Self { blocks, datagrams, free_block, free_datagram, free_blocks, free_datagrams }
    }

    /// Blocks and datagrams in use.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        let blocks = count(&self.blocks) - self.free_blocks;
        (blocks.into(), (count(&self.datagrams) - self.free_datagrams).into())
    }

    /// Whether an empty pool and queue could hold `len` bytes.
    pub(crate) fn could_ever_hold(&self, bound: Bound, len: usize) -> bool {
        let shared = len.div_ceil(Block::SIZE) <= count(&self.blocks).into() && count(&self.datagrams) > 0;
        shared && len <= bound.bytes && bound.datagrams > 0
    }

    /// Whether `queue` may take `len` bytes more.
    ///
    /// No queue may hold more than is left free for all others (dynamic thresholds, Choudhury and Hahne 1998): one that
    /// nobody empties gets half of the pool at most, two get a third each, and there is always room for the next.
    pub(crate) fn admits(&self, queue: &Queue, bound: Bound, len: usize) -> Result<(), Refused> {
        if usize::from(queue.datagrams) >= bound.datagrams || queue.bytes.saturating_add(len) > bound.bytes {
            return Err(Refused::Queue);
        }
        let blocks = usize::from(queue.blocks) + len.div_ceil(Block::SIZE);
        if blocks > self.free_blocks.into() || queue.datagrams >= self.free_datagrams {
            return Err(Refused::Pool);
        }
        Ok(())
    }

    /// Copies `payload` into blocks and sums it in the same pass; `None` when they run out.
    pub(crate) fn store(&mut self, payload: &[u8]) -> Option<Stored> {
        let len = u16::try_from(payload.len()).ok()?;
        let mut stored = Stored { first: NONE, len, sum: Sum::ZERO };
        let mut last = NONE;
        for piece in payload.chunks(Block::SIZE) {
            let index = self.free_block;
            let Some(block) = self.blocks.get_mut(usize::from(index)) else {
                self.free(stored);
                return None;
            };
            self.free_block = core::mem::replace(&mut block.next, NONE);
            self.free_blocks -= 1;
            // The copy that a queue costs: the device wants its buffer back, or the caller his.
            stored.sum = stored.sum.add_sum(copy_and_sum(&mut block.bytes, piece));
            match self.blocks.get_mut(usize::from(last)) {
                Some(before) => before.next = index,
                None => stored.first = index,
            }
            last = index;
        }
        Some(stored)
    }

    /// Puts a stored datagram at the end of `queue`, or frees it when no slot is left.
    pub(crate) fn append(&mut self, queue: &mut Queue, stored: Stored, local: SocketAddr, remote: SocketAddr) -> bool {
        let index = self.free_datagram;
        let Some(slot) = self.datagrams.get_mut(usize::from(index)) else {
            self.free(stored);
            return false;
        };
        let Stored { first, len, sum } = stored;
        self.free_datagram = slot.next;
        self.free_datagrams -= 1;
        *slot = DatagramSlot { next: NONE, first, len, sum, local, remote };
        match self.datagrams.get_mut(usize::from(queue.last)) {
            Some(last) => last.next = index,
            None => queue.first = index,
        }
        queue.last = index;
        queue.datagrams += 1;
        queue.blocks += blocks(len);
        queue.bytes += usize::from(len);
        true
    }

    /// The oldest datagram of `queue`.
    pub(crate) fn front(&self, queue: &Queue) -> Option<&DatagramSlot> {
        self.datagrams.get(usize::from(queue.first))
    }

    /// Shows the first `len` bytes of a datagram to `each`, piece by piece.
    pub(crate) fn read(&self, datagram: &DatagramSlot, len: usize, mut each: impl FnMut(&[u8])) {
        let (mut at, mut left) = (datagram.first, len.min(datagram.len.into()));
        while left > 0 {
            let Some(block) = self.blocks.get(usize::from(at)) else { return };
            let piece = block.bytes.get(..left).unwrap_or(&block.bytes);
            each(piece);
            left -= piece.len();
            at = block.next;
        }
    }

    /// Frees the oldest datagram of `queue`.
    pub(crate) fn drop_front(&mut self, queue: &mut Queue) {
        let index = queue.first;
        let Some(slot) = self.datagrams.get_mut(usize::from(index)) else { return };
        let (first, len) = (slot.first, slot.len);
        queue.first = core::mem::replace(&mut slot.next, self.free_datagram);
        self.free_datagram = index;
        self.free_datagrams += 1;
        if queue.first == NONE {
            queue.last = NONE;
        }
        queue.datagrams -= 1;
        queue.blocks -= blocks(len);
        queue.bytes -= usize::from(len);
        self.free_chain(first);
    }

    /// Frees everything in `queue`.
    pub(crate) fn clear(&mut self, queue: &mut Queue) {
        while !queue.is_empty() {
            self.drop_front(queue);
        }
    }

    /// Frees what is in no queue.
    pub(crate) fn free(&mut self, stored: Stored) {
        self.free_chain(stored.first);
    }

    #[inline(never)]
    fn free_chain(&mut self, mut at: Index) {
        while let Some(block) = self.blocks.get_mut(usize::from(at)) {
            let next = core::mem::replace(&mut block.next, self.free_block);
            self.free_block = at;
            self.free_blocks += 1;
            at = next;
        }
    }
}

/// How many places a slice has, as far as an [`Index`] reaches.
pub(crate) fn count<T>(slice: &[T]) -> Index {
    Index::try_from(slice.len()).unwrap_or(NONE)
}

fn blocks(len: u16) -> u16 {
    len.div_ceil(Block::SIZE as u16)
}
