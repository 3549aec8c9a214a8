//! What the application wrote and the peer has not acknowledged yet.

use mirage_net::FrameWriter;
use zerocopy::FromZeros;

use crate::pool::{BLOCK_BYTES, Block, NONE, Pool};
use crate::under_way::UnderWay;

/// A stream's bytes from the first unacknowledged one on, in a chain of blocks.
///
/// Places are counted from the first unacknowledged byte (SND.UNA). Each block's `seq` is the place of its first byte
/// counted from the birth of the queue, modulo 2³²: so a cursor can tell whether its block is still there.
#[derive(Debug)]
pub(crate) struct SendQueue {
    /// Invariant: `NONE` exactly when `len` is 0.
    head: u32,
    tail: u32,
    /// The birth place of the first unacknowledged byte.
    base: u32,
    len: u32,
    blocks: u32,
    /// Where the tail's bytes end at most. Invariant: at most [`BLOCK_BYTES`].
    tail_limit: u16,
    /// Some of its blocks end a record.
    records: bool,
}

/// Where full segments will be cut: a block ends with one, so that each segment lies in one piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts {
    /// Place in the queue where the next segment begins.
    pub(crate) next: u32,
    /// Bytes of a full segment; 0 if not known yet.
    pub(crate) full: u16,
}

impl Cuts {
    /// How many bytes a block takes that begins with a full segment, if there is room for less than three.
    #[inline(always)]
    fn limit_of_few(full: u16) -> Option<u16> {
        const MOST: u32 = BLOCK_BYTES as u32;
        let full = u32::from(full);
        if full * 3 <= MOST {
            return None;
        }
        let limit = if full * 2 <= MOST { full * 2 } else { full.min(MOST) };
        Some(limit as u16)
    }

    /// How many bytes a block takes whose first is at `place`.
    fn limit(self, place: u32) -> u16 {
        const MOST: u32 = BLOCK_BYTES as u32;
        let full = u32::from(self.full);
        if full == 0 || full > MOST {
            return MOST as u16;
        }
        // What the block's first segment has before it; mostly nothing.
        let mut before = place.wrapping_sub(self.next);
        if before >= full {
            before %= full;
        }
        // Without a division for the segments of an Ethernet, of which two fill a block.
        let left = if full * 2 <= MOST && full * 3 > MOST { MOST - full * 2 } else { MOST % full };
        let left = left + before;
        (MOST - if left >= full { left - full } else { left }) as u16
    }
}

/// Where reading stopped, so that the next reading does not walk there from the start.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Cursor {
    block: u32,
    /// Birth place of the last byte read; its block cannot be freed before it is acknowledged.
    last: u32,
}

impl Cursor {
    /// Nothing was read yet.
    pub(crate) const NEW: Self = Self { block: NONE, last: 0 };
}

impl Default for SendQueue {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, base: 0, len: 0, blocks: 0, tail_limit: 0, records: false }
    }
}

impl SendQueue {
    /// How many bytes it holds.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The block with the oldest byte, or [`NONE`].
    #[inline]
    pub(crate) fn head(&self) -> u32 {
        self.head
    }

    /// How many blocks it holds.
    pub(crate) fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Copies as much of `bytes` behind the others as `limit` (bytes in the queue) and the pool allow; gives how much
    /// that was. `held` are the blocks that the connection holds elsewhere, `cuts` where segments will be cut.
    pub(crate) fn push(&mut self, pool: &mut Pool<'_>, bytes: &[u8], limit: u32, held: u32, cuts: Cuts) -> usize {
        let allowed = bytes.len().min(limit.saturating_sub(self.len) as usize);
        let mut rest = bytes.get(..allowed).unwrap_or_default();
        if self.tail == NONE && !rest.is_empty() && !self.extend(pool, held, cuts) {
            return 0;
        }
        while !rest.is_empty() {
            // The only copy on the way from the application to the frame's buffer.
            let count = pool.get_mut(self.tail).map_or(0, |block| block.append_to(self.tail_limit.into(), rest));
            if count == 0 && !self.extend(pool, held, cuts) {
                break;
            }
            self.len += count as u32;
            rest = rest.get(count..).unwrap_or_default();
        }
        allowed - rest.len()
    }

    /// The same into an empty queue; `None` when they do not fit in one block or none is free, and then nothing was done.
    #[inline(always)]
    pub(crate) fn push_first(&mut self, pool: &mut Pool<'_>, bytes: &[u8], held: u32, full: u16) -> Option<usize> {
        let limit = Cuts::limit_of_few(full)?;
        if self.head != NONE || bytes.len() > limit.into() {
            return None;
        }
        let (index, block) = pool.take_to_begin(held, self.base)?;
        block.begin(bytes);
        (self.head, self.tail, self.tail_limit) = (index, index, limit);
        (self.len, self.blocks) = (bytes.len() as u32, 1);
        Some(bytes.len())
    }

    /// The block that holds all of it, if there is one that does.
    #[inline(always)]
    pub(crate) fn lone_mut<'p>(&self, pool: &'p mut Pool<'_>) -> Option<&'p mut Block> {
        if self.head == self.tail { pool.get_mut(self.head) } else { None }
    }

    /// Has `fill` write up to `most` bytes behind what is queued, piece by piece until it leaves room in one, or `once`; gives
    /// how many bytes that were. `None` when no byte is wanted or no block is free: it was not called then.
    #[inline(always)]
    pub(crate) fn fill_each(
        &mut self,
        pool: &mut Pool<'_>,
        most: usize,
        once: bool,
        held: u32,
        cuts: Cuts,
        mut fill: impl FnMut(&mut FrameWriter<'_>),
    ) -> Option<usize> {
        let (mut left, mut called) = (most, false);
        let mut full = pool.get(self.tail).is_none_or(|tail| tail.is_filled(self.tail_limit));
        while left > 0 {
            let before = self.tail;
            if full && !self.extend(pool, held, cuts) {
                break;
            }
            called = true;
            let block = pool.block_mut(self.tail);
            let space = block.space(self.tail_limit.into());
            let room = space.len().min(left);
            let Some(space) = space.get_mut(..room) else { break };
            let count = FrameWriter::fill(space, &mut fill).map_or(0, |written| written.len());
            block.grow(count);
            self.len += count as u32;
            left -= count;
            if count < room {
                if full && count == 0 {
                    self.withdraw(pool, before);
                }
                break;
            }
            if once {
                break;
            }
            // Or nothing is left.
            full = true;
        }
        called.then_some(most - left)
    }

    /// Gives the tail back, in which nothing was written; `before` was the tail before it.
    #[cold]
    #[inline(never)]
    fn withdraw(&mut self, pool: &mut Pool<'_>, before: u32) {
        pool.give(self.tail);
        self.blocks -= 1;
        // It is full.
        (self.tail, self.tail_limit) = (before, 0);
        match before {
            NONE => self.head = NONE,
            before => pool.block_mut(before).next = NONE,
        }
    }

    /// Chains an empty block to the tail, if there is one.
    fn extend(&mut self, pool: &mut Pool<'_>, held: u32, cuts: Cuts) -> bool {
        let place = self.base.wrapping_add(self.len);
        let Some(index) = pool.take_for_sending(held + self.blocks, self.blocks == 0, place) else { return false };
        match self.tail {
            NONE => {
                self.head = index;
                pool.under_way_mut(index).begin();
            }
            tail => pool.block_mut(tail).next = index,
        }
        self.tail = index;
        self.tail_limit = cuts.limit(self.len);
        self.blocks += 1;
        true
    }

    /// Forgets the first `count` bytes, at most all: the peer has them.
    pub(crate) fn acked(&mut self, pool: &mut Pool<'_>, count: u32) {
        let first = self.head;
        let mut count = count.min(self.len);
        if count == self.len && first == self.tail {
            // All there is, in one block.
            pool.give(first);
            *self = Self { base: self.base.wrapping_add(count), ..Self::default() };
            return;
        }
        self.base = self.base.wrapping_add(count);
        self.len -= count;
        while count > 0 {
            let head = self.head;
            let block = pool.block_mut(head);
            let held = block.len() as u32;
            if held > count {
                block.skip(count as usize);
                break;
            }
            count -= held;
            self.head = block.next;
            self.blocks -= 1;
            pool.give_held(head);
        }
        if self.head == NONE {
            self.tail = NONE;
            self.records = false;
        } else if self.head != first {
            // What was given back keeps its contents until somebody takes it.
            pool.move_under_way(first, self.head);
        }
    }

    /// Forgets all bytes if they lie in one block and `look` gives something of what is known of what is under way: the peer has
    /// them. Otherwise nothing was done.
    #[inline(always)]
    pub(crate) fn end_if<R>(&mut self, pool: &mut Pool<'_>, look: impl FnOnce(&UnderWay) -> Option<R>) -> Option<R> {
        if self.head != self.tail {
            return None;
        }
        let result = pool.give_if(self.head, look)?;
        *self = Self { base: self.base.wrapping_add(self.len), ..Self::default() };
        Some(result)
    }

    /// A record ends with the last byte: no segment goes on behind it. What follows begins a block of its own.
    pub(crate) fn end_record(&mut self, pool: &mut Pool<'_>) {
        if self.tail == NONE {
            return;
        }
        let block = pool.block_mut(self.tail);
        block.ends = true;
        self.tail_limit = (BLOCK_BYTES - block.room()) as u16;
        self.records = true;
    }

    /// Whether there are records in it.
    #[inline]
    pub(crate) fn has_records(&self) -> bool {
        self.records
    }

    /// How many bytes there are from `offset` to the end of the record that it lies in; `None` if no end is known.
    pub(crate) fn left_of_record(&self, pool: &Pool<'_>, offset: u32) -> Option<u32> {
        let place = self.base.wrapping_add(offset);
        let mut index = self.block_near(pool, place, &pool.under_way(self.head).cursor);
        while index != NONE {
            let block = pool.block(index);
            let left = block.end().wrapping_sub(place);
            if block.ends && left as i32 > 0 {
                return Some(left);
            }
            index = block.next;
        }
        None
    }

    /// The `len` bytes from `offset` on, as far as there are any, in slices. `cursor` remembers where they end.
    pub(crate) fn slices<'p>(
        &self,
        pool: &'p Pool<'_>,
        offset: u32,
        len: u32,
        cursor: &'p mut Cursor,
    ) -> impl Iterator<Item = &'p [u8]> + use<'p> {
        let left = len.min(self.len.saturating_sub(offset));
        let place = self.base.wrapping_add(offset);
        let block = self.block_near(pool, place, cursor);
        Slices { pool, block, place, left, cursor }
    }

    /// All bytes from `offset` on, to be read piece by piece. `cursor` remembers where the last reading ended.
    #[inline]
    pub(crate) fn walk<'p, 's>(&self, pool: &'p Pool<'s>, offset: u32, cursor: &Cursor) -> Walk<'p, 's> {
        let place = self.base.wrapping_add(offset);
        let mut reached = *cursor;
        let rest = self.rest_of_block(pool, place, &mut reached);
        Walk { pool, block: reached.block, rest, place }
    }

    /// The same for pieces that lie in one block each.
    #[inline]
    pub(crate) fn pieces<'p, 's, 'c>(
        &self,
        pool: &'p Pool<'s>,
        offset: u32,
        cursor: &'c mut Cursor,
    ) -> Pieces<'p, 's, 'c> {
        let rest = self.rest_of_block(pool, self.base.wrapping_add(offset), cursor);
        // Where there is nothing, nothing follows.
        let next = pool.get(cursor.block).filter(|_| !rest.is_empty()).map_or(NONE, |block| block.next);
        Pieces { pool, rest, next, cursor }
    }

    /// The bytes themselves when all of them lie in one piece that is found at once, as they mostly do.
    #[inline(always)]
    pub(crate) fn piece<'p>(&self, pool: &'p Pool<'_>, offset: u32, len: u32, cursor: &mut Cursor) -> Option<&'p [u8]> {
        if len == 0 {
            return Some(&[]);
        }
        let place = self.base.wrapping_add(offset);
        let mut index = self.block_near(pool, place, cursor);
        let mut block = pool.get(index)?;
        let mut skip = place.wrapping_sub(block.seq) as usize;
        if skip == block.len() {
            index = block.next;
            block = pool.get(index)?;
            skip = 0;
        }
        let piece = block.data().get(skip..skip + len as usize)?;
        *cursor = Cursor { block: index, last: place.wrapping_add(len - 1) };
        Some(piece)
    }

    /// What lies from `place` on in one block; the cursor is moved to the block.
    #[inline(never)]
    fn rest_of_block<'p>(&self, pool: &'p Pool<'_>, place: u32, cursor: &mut Cursor) -> &'p [u8] {
        let mut index = self.block_near(pool, place, cursor);
        while let Some(block) = pool.get(index) {
            if let Some(rest) = block.data().get(place.wrapping_sub(block.seq) as usize..)
                && !rest.is_empty()
            {
                *cursor = Cursor { block: index, last: place };
                return rest;
            }
            index = block.next;
        }
        &[]
    }

    /// The block that holds `place`, or one before it; [`NONE`] only when there are no bytes.
    #[inline(always)]
    fn block_near(&self, pool: &Pool<'_>, place: u32, cursor: &Cursor) -> u32 {
        let known = cursor.block != NONE
            && cursor.last.wrapping_sub(self.base) < self.len
            && pool.get(cursor.block).is_some_and(|block| place.wrapping_sub(block.seq) as i32 >= 0);
        if known { cursor.block } else { self.head }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, pool: &mut Pool<'_>) {
        self.acked(pool, self.len);
    }
}

/// A reading that goes on from piece to piece.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'p, 's> {
    pool: &'p Pool<'s>,
    block: u32,
    /// What is left of the block.
    rest: &'p [u8],
    /// Birth place of the next byte.
    place: u32,
}

impl<'p> Walk<'p, '_> {
    /// The next bytes that lie in one piece, at most `most`; none if there are no more.
    #[inline(always)]
    pub(crate) fn next(&mut self, most: usize) -> &'p [u8] {
        while self.rest.is_empty() {
            // What follows begins with its block.
            let next = self.pool.get(self.block).map_or(NONE, |block| block.next);
            let Some(data) = self.pool.get(next).and_then(Block::held) else { return &[] };
            (self.block, self.rest) = (next, data);
        }
        let (piece, rest) = self.rest.split_at(self.rest.len().min(most));
        self.rest = rest;
        self.place = self.place.wrapping_add(piece.len() as u32);
        piece
    }

    /// Where it is.
    #[inline]
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { block: self.block, last: self.place.wrapping_sub(1) }
    }
}

/// A reading of pieces that lie in one block each.
pub(crate) struct Pieces<'p, 's, 'c> {
    pool: &'p Pool<'s>,
    /// What is left of the block.
    rest: &'p [u8],
    /// The block behind it.
    next: u32,
    /// The block, and the first byte of it that was read.
    cursor: &'c mut Cursor,
}

impl<'p> Pieces<'p, '_, '_> {
    /// The next `len` bytes; `None` where they lie in several blocks or there are not so many.
    #[inline(always)]
    pub(crate) fn next(&mut self, len: usize) -> Option<&'p [u8]> {
        if self.rest.is_empty() {
            self.rest = self.next_block()?;
        }
        let (piece, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(piece)
    }

    /// What the next block holds.
    #[inline(always)]
    fn next_block(&mut self) -> Option<&'p [u8]> {
        let block = self.pool.get(self.next)?;
        *self.cursor = Cursor { block: self.next, last: block.seq };
        self.next = block.next;
        block.stored()
    }
}

/// What [`SendQueue::slices`] gives.
struct Slices<'p, 's> {
    pool: &'p Pool<'s>,
    /// The block that holds `place`, or one before it.
    block: u32,
    place: u32,
    left: u32,
    cursor: &'p mut Cursor,
}

impl<'p> Iterator for Slices<'p, '_> {
    type Item = &'p [u8];

    fn next(&mut self) -> Option<&'p [u8]> {
        while self.left > 0 && self.block != NONE {
            let block = self.pool.block(self.block);
            let skip = self.place.wrapping_sub(block.seq) as usize;
            let data = block.data().get(skip..).unwrap_or_default();
            if data.is_empty() {
                self.block = block.next;
                continue;
            }
            let count = data.len().min(self.left as usize);
            self.left -= count as u32;
            self.place = self.place.wrapping_add(count as u32);
            *self.cursor = Cursor { block: self.block, last: self.place.wrapping_sub(1) };
            return data.get(..count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use managed::ManagedSlice;
    use proptest::prelude::*;

    const ANYWHERE: Cuts = Cuts { next: 0, full: 0 };

    fn read(queue: &SendQueue, pool: &Pool<'_>, offset: u32, len: u32, cursor: &mut Cursor) -> Vec<u8> {
        queue.slices(pool, offset, len, cursor).flatten().copied().collect()
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<SendQueue>() <= 24);
        assert!(size_of::<Cursor>() <= 8);
    }

    #[test]
    fn the_short_way_to_a_limit_leads_to_the_same() {
        for full in 1..=u16::MAX {
            if let Some(limit) = Cuts::limit_of_few(full) {
                assert_eq!(limit, Cuts { next: 0, full }.limit(0));
            }
        }
    }

    #[test]
    fn small_writes_share_a_block() {
        let mut blocks = vec![Block::default(); 8];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut queue = SendQueue::default();
        for _ in 0..200 {
            assert_eq!(queue.push(&mut pool, b"0123456789", u32::MAX, 0, ANYWHERE), 10);
        }
        assert_eq!((queue.len(), queue.blocks()), (2000, 1));
    }

    #[test]
    fn full_segments_lie_in_one_piece() {
        let mut blocks = vec![Block::default(); 64];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut queue = SendQueue::default();
        queue.push(&mut pool, &[7; 100], u32::MAX, 0, Cuts { next: 0, full: 1448 });
        // The small segment was sent; full ones follow.
        queue.push(&mut pool, &[7; 30_000], u32::MAX, 0, Cuts { next: 100, full: 1448 });
        let mut cursor = Cursor::NEW;
        for segment in 3..18 {
            let pieces = queue.slices(&pool, 100 + segment * 1448, 1448, &mut cursor).count();
            assert_eq!(pieces, 1, "segment {segment}");
        }
    }

    #[test]
    fn an_acknowledged_queue_holds_no_block() {
        let mut blocks = vec![Block::default(); 8];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut queue = SendQueue::default();
        queue.push(&mut pool, &[7; 5000], u32::MAX, 0, ANYWHERE);
        queue.acked(&mut pool, 4999);
        assert_eq!(pool.in_use(), 1);
        queue.acked(&mut pool, 1);
        assert_eq!((pool.in_use(), queue.len(), queue.blocks()), (0, 0, 0));
        queue.acked(&mut pool, 1_000_000);
        assert_eq!(queue.push(&mut pool, b"again", u32::MAX, 0, ANYWHERE), 5);
        assert_eq!(read(&queue, &pool, 0, 5, &mut { Cursor::NEW }), b"again");
    }

    #[test]
    fn a_write_stops_at_the_limit_and_at_the_pool() {
        let mut blocks = vec![Block::default(); 4];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut queue = SendQueue::default();
        assert_eq!(queue.push(&mut pool, &[1; 300], 100, 0, ANYWHERE), 100);
        assert_eq!(queue.push(&mut pool, &[1; 300], 100, 0, ANYWHERE), 0);
        assert_eq!(queue.push(&mut pool, &[1; 100_000], u32::MAX, 0, ANYWHERE), 2 * BLOCK_BYTES - 100);
    }

    #[test]
    fn a_cursor_does_not_walk_and_survives_its_block() {
        let mut blocks = vec![Block::default(); 64];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut queue = SendQueue::default();
        let stream: Vec<u8> = (0..40_000_u32).map(|byte| (byte / 100) as u8).collect();
        queue.push(&mut pool, &stream, u32::MAX, 0, ANYWHERE);
        let mut cursor = Cursor::NEW;
        assert_eq!(read(&queue, &pool, 0, 20_000, &mut cursor), stream[..20_000]);
        let there = cursor.block;
        assert_ne!(there, queue.head);
        assert_eq!(read(&queue, &pool, 20_000, 10, &mut cursor), stream[20_000..20_010]);
        assert_eq!(cursor.block, there);
        queue.acked(&mut pool, 30_000);
        assert_eq!(read(&queue, &pool, 0, 10_000, &mut cursor), stream[30_000..]);
        queue.clear(&mut pool);
        queue.push(&mut pool, b"new", u32::MAX, 0, ANYWHERE);
        assert_eq!(read(&queue, &pool, 0, 10, &mut cursor), b"new");
    }

    #[test]
    fn what_follows_a_record_begins_a_block() {
        let mut blocks = vec![Block::default(); 8];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut queue = SendQueue::default();
        queue.push(&mut pool, &[1; 100], u32::MAX, 0, ANYWHERE);
        queue.end_record(&mut pool);
        queue.push(&mut pool, &[2; 50], u32::MAX, 0, ANYWHERE);
        assert_eq!((queue.len(), queue.blocks()), (150, 2));
        assert_eq!([0, 99, 100].map(|offset| queue.left_of_record(&pool, offset)), [Some(100), Some(1), None]);
        queue.acked(&mut pool, 60);
        assert_eq!(queue.left_of_record(&pool, 0), Some(40));
        queue.acked(&mut pool, 90);
        assert!(!queue.has_records());
    }

    #[derive(Clone, Debug)]
    enum Operation {
        EndRecord,
        Push(u16),
        Acked(u16),
        Read(u16, u16),
        Clear,
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            1 => Just(Operation::EndRecord),
            4 => (0_u16..5000).prop_map(Operation::Push),
            3 => (0_u16..6000).prop_map(Operation::Acked),
            6 => (0_u16..9000, 0_u16..4000).prop_map(|(offset, len)| Operation::Read(offset, len)),
            1 => Just(Operation::Clear),
        ]
    }

    proptest! {
        /// One cursor for all readings, wherever they are: it never shows other bytes than the stream's.
        #[test]
        fn it_reads_like_a_vector(operations in proptest::collection::vec(operation(), 0..100)) {
            let mut blocks = vec![Block::default(); 16];
            let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
            let mut queue = SendQueue { base: u32::MAX - 9000, ..SendQueue::default() };
            let mut model: Vec<u8> = Vec::new();
            let mut cursor = Cursor::NEW;
            let mut written = 0_u32;
            let mut ends: Vec<u32> = Vec::new();
            for operation in operations {
                match operation {
                    Operation::EndRecord => {
                        queue.end_record(&mut pool);
                        if !model.is_empty() {
                            ends.push(written);
                        }
                    }
                    Operation::Push(len) => {
                        let bytes: Vec<u8> = (0..u32::from(len)).map(|i| ((written + i) % 251) as u8).collect();
                        let accepted = queue.push(&mut pool, &bytes, 20_000, 0, ANYWHERE);
                        model.extend(&bytes[..accepted]);
                        written += accepted as u32;
                    }
                    Operation::Acked(count) => {
                        queue.acked(&mut pool, count.into());
                        model.drain(..usize::from(count).min(model.len()));
                    }
                    Operation::Read(offset, len) => {
                        let start = usize::from(offset).min(model.len());
                        let end = (start + usize::from(len)).min(model.len());
                        let bytes = read(&queue, &pool, start as u32, len.into(), &mut cursor);
                        prop_assert_eq!(&bytes, &model[start..end]);
                    }
                    Operation::Clear => {
                        queue.clear(&mut pool);
                        model.clear();
                    }
                }
                prop_assert_eq!(queue.len() as usize, model.len());
                let base = written - model.len() as u32;
                let next = ends.iter().find(|end| **end > base).map(|end| end - base);
                prop_assert_eq!(queue.left_of_record(&pool, 0), next);
                prop_assert_eq!(queue.blocks(), pool.in_use());
                prop_assert_eq!(queue.blocks() == 0, model.is_empty());
            }
        }
    }
}
