//! The pool of blocks that all sockets share, and the queues in it.

use core::hint::cold_path;
use core::net::IpAddr;
use core::num::NonZeroU64;

use managed::ManagedSlice;
use mirage_checksum::{Sum, copy_and_sum};

use crate::Address;
use crate::address::{End, Ends};

/// A place in one of the lent slices.
pub(crate) type Index = u16;

/// No place.
pub(crate) const NONE: Index = Index::MAX;

/// A piece of a queued datagram. The first also holds what is known of it besides its bytes.
#[derive(Clone, Debug)]
pub struct Block<A = IpAddr> {
    /// The next block: of the same datagram up to its last, behind that it means nothing; or the next free one.
    next: Index,
    head: Head<A>,
    bytes: [u8; SIZE],
}

impl<A: Address> Block<A> {
    /// Bytes of datagram that one block holds.
    pub const SIZE: usize = SIZE;
    /// A block as it is lent.
    pub const EMPTY: Self = Self { next: NONE, head: Head::EMPTY, bytes: [0; SIZE] };
}

/// What is known of a queued datagram besides its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<A> {
    /// The queue's next datagram.
    after: Index,
    /// Its last block.
    last: Index,
    /// At most 65,507 bytes.
    pub(crate) len: u16,
    pub(crate) ends: Ends<A>,
}

impl<A: Address> Head<A> {
    const EMPTY: Self =
        Self { after: NONE, last: NONE, len: 0, ends: Ends { local: End::NOWHERE, remote: End::NOWHERE } };
}

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
    /// Invariant: `NONE` exactly while the queue is empty.
    first: Index,
    /// Invariant: the last datagram, unless the queue is empty.
    last: Index,
    datagrams: u16,
    blocks: u16,
    bytes: usize,
}

impl Queue {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE, datagrams: 0, blocks: 0, bytes: 0 };

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

/// Why a queue does not take a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is full itself.
    Queue,
    /// What all share is used up.
    Pool,
    /// The checksum is wrong.
    Checksum,
}

/// Lent blocks, free or in a queue.
#[derive(Debug)]
pub(crate) struct Pool<'s, A> {
    /// Invariant: block number `NONE` is used by nobody.
    blocks: ManagedSlice<'s, Block<A>>,
    /// The first of a chain of `free_blocks` free ones.
    free: Index,
    free_blocks: u16,
    /// Invariant: how many are in queues.
    datagrams: u16,
}

impl<'s, A: Address> Pool<'s, A> {
    /// All free. Of more than 65,535 blocks the rest stays unused.
    pub(crate) fn new(mut blocks: ManagedSlice<'s, Block<A>>) -> Self {
        let free_blocks = count(&blocks);
        let mut free = NONE;
        for (index, block) in (0..free_blocks).zip(blocks.iter_mut()) {
            block.next = free;
            free = index;
        }
        Self { blocks, free, free_blocks, datagrams: 0 }
    }

    /// Blocks and datagrams in use.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        ((count(&self.blocks) - self.free_blocks).into(), self.datagrams.into())
    }

    /// The longest datagram that an empty pool and queue can hold, in bytes; `None` where not even an empty one.
    pub(crate) fn could_ever_hold(&self, bound: Bound) -> Option<usize> {
        let blocks = usize::from(count(&self.blocks));
        (blocks > 0 && bound.datagrams > 0).then(|| bound.bytes.min(blocks * SIZE))
    }

    /// Copies a datagram to the end of `queue`. With `unverified`, the sum of the rest in words, it is summed in the same pass, and
    /// taken only if the whole is valid.
    ///
    /// No queue may hold more than is left free for all others (dynamic thresholds, Choudhury and Hahne 1998): one that
    /// nobody empties gets half of the pool at most, two get a third each, and there is always room for the next.
    #[inline]
    pub(crate) fn push(
        &mut self,
        queue: &mut Queue,
        bound: &Bound,
        ends: Ends<A>,
        payload: &[u8],
        unverified: Option<NonZeroU64>,
    ) -> Result<(), Refused> {
        if usize::from(queue.datagrams) >= bound.datagrams || queue.bytes + payload.len() > bound.bytes {
            return Err(Refused::Queue);
        }
        if usize::from(queue.blocks) + blocks(payload.len()) > self.free_blocks.into() {
            return Err(Refused::Pool);
        }
        let pool = &mut *self.blocks;
        // The first free blocks are a chain already: until the end they are still free.
        let first = self.free;
        let block = pool.get_mut(usize::from(first)).ok_or(Refused::Pool)?;
        let (piece, rest) = payload.split_at_checked(SIZE).unwrap_or((payload, &[]));
        // The copy that a queue costs: the device wants its buffer back, or the caller his.
        let mut sum = match (unverified, block.bytes.get_mut(..piece.len())) {
            (Some(rest), Some(space)) => Sum::ZERO.add_u64(rest.get()).add_sum(copy_and_sum(space, piece)),
            (None, Some(space)) => {
                space.copy_from_slice(piece);
                Sum::ZERO
            }
            // Never: a piece is no longer than a block.
            (_, None) => Sum::ZERO,
        };
        // Its last block is corrected below, should there be more than one.
        block.head = Head { after: NONE, last: first, len: payload.len() as u16, ends };
        let mut after = block.next;
        if !rest.is_empty() {
            (after, sum) = copy_rest(pool, first, after, rest, sum).ok_or(Refused::Pool)?;
        }
        if unverified.is_some() && !sum.is_valid() {
            return Err(Refused::Checksum);
        }
        if queue.is_empty() {
            queue.first = first;
        } else if let Some(before) = pool.get_mut(usize::from(queue.last)) {
            before.head.after = first;
        }
        let taken = blocks(payload.len()) as u16;
        self.free = after;
        self.free_blocks -= taken;
        self.datagrams += 1;
        queue.last = first;
        queue.datagrams += 1;
        queue.blocks += taken;
        queue.bytes += payload.len();
        Ok(())
    }

    /// Copies a datagram that one block holds to the end of `queue` as [`push`](Self::push) does; whether there was room, and
    /// the whole is valid.
    #[inline(always)]
    pub(crate) fn push_short(
        &mut self,
        queue: &mut Queue,
        bound: &Bound,
        ends: Ends<A>,
        payload: &[u8],
        unverified: Sum,
    ) -> bool {
        let full = usize::from(queue.datagrams) >= bound.datagrams || queue.bytes + payload.len() > bound.bytes;
        if full || queue.blocks >= self.free_blocks {
            cold_path();
            return false;
        }
        let (pool, first) = (&mut *self.blocks, self.free);
        let Some(block) = pool.get_mut(usize::from(first)) else {
            cold_path();
            return false;
        };
        let Some(space) = block.bytes.get_mut(..payload.len()) else {
            cold_path();
            return false;
        };
        if !unverified.add_sum(copy_and_sum(space, payload)).is_valid() {
            cold_path();
            return false;
        }
        block.head = Head { after: NONE, last: first, len: payload.len() as u16, ends };
        self.free = block.next;
        self.free_blocks -= 1;
        self.datagrams += 1;
        if queue.is_empty() {
            queue.first = first;
        } else if let Some(before) = pool.get_mut(usize::from(queue.last)) {
            before.head.after = first;
        }
        queue.last = first;
        queue.datagrams += 1;
        queue.blocks += 1;
        queue.bytes += payload.len();
        true
    }

    /// The oldest datagram of `queue`.
    #[inline]
    pub(crate) fn front(&self, queue: &Queue) -> Option<&Head<A>> {
        if queue.is_empty() {
            return None;
        }
        self.blocks.get(usize::from(queue.first)).map(|block| &block.head)
    }

    /// Shows the first `len` bytes of the oldest datagram of `queue` to `each`, piece by piece. The datagram is no shorter.
    #[inline]
    pub(crate) fn read(&self, queue: &Queue, len: usize, mut each: impl FnMut(&[u8])) {
        let (pool, mut at, mut left) = (&*self.blocks, queue.first, len);
        while let Some(block) = pool.get(usize::from(at)) {
            let piece = block.bytes.get(..left).unwrap_or(&block.bytes);
            each(piece);
            left -= piece.len();
            if left == 0 {
                return;
            }
            at = block.next;
        }
    }

    /// Copies the start of the oldest datagram of `queue` to `buffer`, as much as fits, and frees it.
    #[inline]
    pub(crate) fn take_front(&mut self, queue: &mut Queue, buffer: &mut [u8]) -> Option<(Ends<A>, u16)> {
        if queue.is_empty() {
            return None;
        }
        let Block { head, bytes, .. } = self.blocks.get(usize::from(queue.first))?;
        let (ends, len) = (head.ends, head.len);
        let few = buffer.len().min(len.into());
        // The reader's copy: blocks are shared and go back to the pool.
        match (bytes.get(..few), buffer.get_mut(..few)) {
            (Some(bytes), Some(space)) => space.copy_from_slice(bytes),
            _ => self.copy_out(queue, buffer),
        }
        self.drop_front(queue);
        Some((ends, len))
    }

    /// Copies the start of a datagram of more than one block.
    #[cold]
    #[inline(never)]
    fn copy_out(&self, queue: &Queue, buffer: &mut [u8]) {
        let len = self.front(queue).map_or(0, |head| buffer.len().min(head.len.into()));
        let mut free = buffer;
        self.read(queue, len, |piece| {
            if let Some((space, rest)) = core::mem::take(&mut free).split_at_mut_checked(piece.len()) {
                space.copy_from_slice(piece);
                free = rest;
            }
        });
    }

    /// Frees the oldest datagram of `queue`.
    #[inline]
    pub(crate) fn drop_front(&mut self, queue: &mut Queue) {
        let pool = &mut *self.blocks;
        let (first, free) = (queue.first, self.free);
        let Some(block) = pool.get_mut(usize::from(first)) else { return };
        let Head { after, last, len, .. } = block.head;
        let mut freed = 1;
        if last == first {
            block.next = free;
        } else {
            freed = blocks(len.into()) as u16;
            let Some(end) = pool.get_mut(usize::from(last)) else { return };
            end.next = free;
        }
        self.free = first;
        self.free_blocks += freed;
        self.datagrams -= 1;
        queue.first = after;
        queue.datagrams -= 1;
        queue.blocks -= freed;
        queue.bytes -= usize::from(len);
    }

    /// Frees everything in `queue`.
    pub(crate) fn clear(&mut self, queue: &mut Queue) {
        while !queue.is_empty() {
            self.drop_front(queue);
        }
    }
}

/// Copies what is behind a datagram's `first` block to `at` and the blocks after it, and adds it to `sum`. Gives the
/// block after the last.
#[inline(never)]
fn copy_rest<A>(pool: &mut [Block<A>], first: Index, at: Index, payload: &[u8], mut sum: Sum) -> Option<(Index, Sum)> {
    let (mut last, mut after) = (at, at);
    for piece in payload.chunks(SIZE) {
        last = after;
        let block = pool.get_mut(usize::from(last))?;
        sum = sum.add_sum(copy_and_sum(&mut block.bytes, piece));
        after = block.next;
    }
    pool.get_mut(usize::from(first))?.head.last = last;
    Some((after, sum))
}

/// How many places a slice has, as far as an [`Index`] reaches.
pub(crate) fn count<T>(slice: &[T]) -> Index {
    Index::try_from(slice.len()).unwrap_or(NONE)
}

/// How many blocks hold `len` bytes: one for an empty datagram.
#[inline]
const fn blocks(len: usize) -> usize {
    len.saturating_sub(1) / SIZE + 1
}

/// Bytes of datagram that one block holds.
const SIZE: usize = 256;
