//! The blocks that all connections of a machine share for their bytes.

use managed::ManagedSlice;
use mirage_net::FrameSet;
use zerocopy::FromZeros;

use crate::kept::{Front, InFrame, Keeper, Keeping, PAUSE, Pieces};
use crate::receive_queue::Behind;
use crate::under_way::UnderWay;

/// Bytes of a stream that fit in a block: two full segments on a link with an MTU of 1,500 bytes.
pub const BLOCK_BYTES: usize = 2920;

/// No block: the end of a chain.
pub(crate) const NONE: u32 = u32::MAX;

/// A piece of some connection's stream: about 3 KiB, of which [`BLOCK_BYTES`] carry data.
///
/// Lend a slice of them in [`Storage`](crate::Storage). What a block holds is the machine's own affair; one that was never
/// used may be all zeroes, so that a large pool costs nothing before it is needed.
#[derive(Clone, Debug, FromZeros)]
#[repr(C, align(64))]
pub struct Block {
    /// The block behind this one in its chain, or [`NONE`].
    pub(crate) next: u32,
    /// Where the first byte of the block belongs in its stream.
    pub(crate) seq: u32,
    /// First byte in use, or [`FREE`]. Invariant while taken: `start + len <= BLOCK_BYTES`.
    start: u16,
    len: u16,
    /// In a send queue: the application wants a segment to end with its last byte.
    pub(crate) ends: bool,
    /// In a receive queue: what of it lies elsewhere.
    pieces: Pieces,
    /// What is known of what is under way, in the first block of a send queue.
    under_way: UnderWay,
    /// For the bytes to begin a line of the cache: where they do not, each second vector is copied to two.
    pad: u64,
    bytes: [u8; BLOCK_BYTES],
    /// What is known of what waits behind holes, in the first block of that.
    pub(crate) behind: Behind,
}

const _: () = assert!(core::mem::offset_of!(Block, bytes) % 64 == 0, "`pad` fills what is left of a line");

/// What `start` says in a block that nobody holds.
const FREE: u16 = u16::MAX;

impl Default for Block {
    fn default() -> Self {
        Self::new_zeroed()
    }
}

impl Block {
    /// What is known of what is under way, where it is the first of a send queue.
    #[inline]
    pub(crate) fn under_way_mut(&mut self) -> &mut UnderWay {
        &mut self.under_way
    }

    /// The bytes it holds, all of which are in it.
    pub(crate) fn data(&self) -> &[u8] {
        debug_assert!(self.pieces.is_empty(), "nothing of it lies elsewhere");
        self.stored().unwrap_or_default()
    }

    /// The same, in the place of the call; never `None`.
    #[inline(always)]
    pub(crate) fn stored(&self) -> Option<&[u8]> {
        let start = usize::from(self.start);
        self.bytes.get(start..start + self.len())
    }

    /// The same, in the place of the call; `None` if some of it lies elsewhere.
    #[inline(always)]
    pub(crate) fn held(&self) -> Option<&[u8]> {
        let start = usize::from(self.start);
        self.bytes.get(start..start + self.len()).filter(|_| self.pieces.is_empty())
    }

    /// Whether all its bytes are in it.
    #[inline(always)]
    pub(crate) fn is_whole(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The bytes that lie in one piece at its front, be they in it or in a frame that `device` keeps.
    #[inline]
    pub(crate) fn front_on<'b>(&'b self, device: &'b dyn Keeper) -> &'b [u8] {
        match self.pieces.front(self.start, self.start + self.len) {
            Front::Here { len } => {
                let start = usize::from(self.start);
                self.bytes.get(start..start + len).unwrap_or_default()
            }
            Front::InFrame { frame, offset, len } => device.kept(frame).get(offset..offset + len).unwrap_or_default(),
        }
    }

    /// Whether it can hold bytes that lie elsewhere.
    #[inline]
    pub(crate) fn can_refer(&self) -> bool {
        self.pieces.have_room()
    }

    /// Holds `len` bytes more that lie elsewhere: there is room for them, and [for that](Self::can_refer). `is_last`: nothing
    /// else lies there.
    #[inline]
    pub(crate) fn refer(&mut self, place: InFrame, len: usize, is_last: bool) {
        self.pieces.push(place, self.start + self.len, len as u16, is_last);
        self.grow(len);
    }

    /// How many bytes it holds.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// The place in the stream behind its last byte.
    pub(crate) fn end(&self) -> u32 {
        self.seq.wrapping_add(u32::from(self.len))
    }

    /// Whether it holds bytes up to place `end`.
    #[inline]
    pub(crate) fn is_filled(&self, end: u16) -> bool {
        self.start + self.len >= end
    }

    /// How many bytes fit behind those it holds.
    pub(crate) fn room(&self) -> usize {
        BLOCK_BYTES.saturating_sub(usize::from(self.start) + self.len())
    }

    /// Whether there fit `count`.
    #[inline]
    pub(crate) fn has_room(&self, count: usize) -> bool {
        usize::from(self.start) + self.len() + count <= BLOCK_BYTES
    }

    /// The space behind what it holds, up to place `end` of the block.
    #[inline]
    pub(crate) fn space(&mut self, end: usize) -> &mut [u8] {
        let start = usize::from(self.start) + self.len();
        self.bytes.get_mut(start..end.max(start)).unwrap_or_default()
    }

    /// Space for `len` bytes behind what it holds; `None` when there is less.
    #[inline]
    pub(crate) fn whole_space(&mut self, len: usize) -> Option<&mut [u8]> {
        let start = usize::from(self.start) + self.len();
        self.bytes.get_mut(start..start + len)
    }

    /// `count` bytes behind what it holds now hold data; there was [space](Self::space) for them.
    #[inline]
    pub(crate) fn grow(&mut self, count: usize) {
        debug_assert!(count <= self.room(), "there was space");
        self.len += count as u16;
    }

    /// Copies as much of `bytes` as fits behind what it holds; gives how much that was.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> usize {
        self.append_to(BLOCK_BYTES, bytes)
    }

    /// The same up to place `limit` of the block, which is at most [`BLOCK_BYTES`].
    #[inline]
    pub(crate) fn append_to(&mut self, limit: usize, bytes: &[u8]) -> usize {
        let end = usize::from(self.start) + self.len();
        let Some(space) = self.bytes.get_mut(end..limit) else { return 0 };
        let count = space.len().min(bytes.len());
        if let (Some(to), Some(from)) = (space.get_mut(..count), bytes.get(..count)) {
            mirage_checksum::copy(to, from);
        }
        self.len += count as u16;
        count
    }

    /// Copies `bytes`, which fit, into the empty block of a send queue that begins with it.
    #[inline(always)]
    pub(crate) fn begin(&mut self, bytes: &[u8]) {
        if let Some(space) = self.bytes.get_mut(..bytes.len()) {
            self.len = mirage_checksum::copy_short(space, bytes) as u16;
        }
        self.under_way.begin();
    }

    /// Copies `bytes` before what it holds, or gives `false` and leaves it as it was when they do not fit.
    pub(crate) fn prepend(&mut self, bytes: &[u8]) -> bool {
        if self.len() + bytes.len() > BLOCK_BYTES {
            return false;
        }
        if usize::from(self.start) < bytes.len() {
            // To the far end at once, so that a stream that comes backwards moves it only this once.
            let (start, len) = (usize::from(self.start), self.len());
            self.bytes.copy_within(start..start + len, BLOCK_BYTES - len);
            self.start = (BLOCK_BYTES - len) as u16;
        }
        let start = usize::from(self.start) - bytes.len();
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.start = start as u16;
        self.len += bytes.len() as u16;
        self.seq = self.seq.wrapping_sub(bytes.len() as u32);
        true
    }

    /// It begins at place `start` now, and of what lies elsewhere there are `pieces` left.
    fn rest(&mut self, start: u16, pieces: Pieces) {
        self.skip(usize::from(start - self.start));
        self.pieces = pieces;
    }

    /// Forgets the first `count` bytes, at most all.
    pub(crate) fn skip(&mut self, count: usize) {
        let count = count.min(self.len()) as u16;
        self.start += count;
        self.len -= count;
        self.seq = self.seq.wrapping_add(u32::from(count));
    }
}

/// The blocks nobody holds, and the rule by which connections may take them.
///
/// A quarter of the blocks is a reserve for those who hold nothing: a connection's first block of what came in may be
/// the very last, its first block of what is to be sent leaves half of the reserve. Of the other three quarters it may
/// hold as many blocks as are free (the dynamic threshold of Choudhury and Hahne, 1998), so one alone gets half of them
/// and many share them evenly. Thus connections that nobody reads, be they ever so many, cannot stop others, as long as
/// there are no more of them than an eighth of the blocks.
pub(crate) struct Pool<'s> {
    blocks: ManagedSlice<'s, Block>,
    /// First of the blocks that were given back.
    free_head: u32,
    /// Blocks from here on were never taken: their memory is not touched before it is needed.
    untouched: u32,
    in_use: u32,
    total: u32,
    reserve: u32,
    /// The frames that bytes of receive queues lie in.
    pub(crate) keeping: Keeping,
    /// For those that have nothing under way but a FIN; made anew each time unless it is `kept`.
    nothing: UnderWay,
    kept: bool,
}

/// Blocks that were [filled](Pool::fill_free), chained in this order.
pub(crate) struct Filled {
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// How many they are; if none, there is no first and no last.
    pub(crate) blocks: u32,
    /// How many bytes they hold.
    pub(crate) bytes: usize,
    /// How many the last was allowed.
    pub(crate) limit: u16,
}

impl<'s> Pool<'s> {
    /// A pool of all of `blocks`.
    pub(crate) fn new(blocks: ManagedSlice<'s, Block>) -> Self {
        let total = blocks.len().min(NONE as usize) as u32;
        Self {
            blocks,
            free_head: NONE,
            untouched: 0,
            in_use: 0,
            total,
            reserve: (total / 4).max(1),
            keeping: Keeping::NONE,
            nothing: UnderWay::NEW,
            kept: false,
        }
    }

    /// An empty block, or `None` when all are in use.
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.take_at(0)
    }

    /// An empty block for bytes from `place` on, or `None` when all are in use.
    #[inline]
    fn take_at(&mut self, place: u32) -> Option<u32> {
        self.take_block(place).map(|(index, _)| index)
    }

    /// The same with the block itself.
    #[inline(always)]
    pub(crate) fn take_block(&mut self, place: u32) -> Option<(u32, &mut Block)> {
        if self.free_head == NONE {
            // Not in the place of the call: each is taken for the first time once.
            self.touch_next()?;
        }
        self.take_used(place)
    }

    /// Makes the first block that was never taken one that was given back.
    #[inline(never)]
    fn touch_next(&mut self) -> Option<()> {
        self.touch_behind(NONE).map(|_| ())
    }

    /// The same if one was given back before; they are used first.
    #[inline(always)]
    pub(crate) fn take_used(&mut self, place: u32) -> Option<(u32, &mut Block)> {
        let index = self.free_head;
        // There is no block `NONE`.
        let block = self.blocks.get_mut(index as usize)?;
        self.free_head = block.next;
        (block.next, block.seq, block.start, block.len, block.ends) = (NONE, place, 0, 0, false);
        self.in_use += 1;
        Some((index, block))
    }

    /// A block that was given back before, if there is one and `fill` says how much it wrote to its start.
    #[inline(always)]
    pub(crate) fn take_filled(&mut self, fill: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<u32> {
        let index = self.free_head;
        let block = self.blocks.get_mut(index as usize)?;
        let len = fill(&mut block.bytes)? as u16;
        self.free_head = block.next;
        (block.next, block.seq, block.start, block.len, block.ends) = (NONE, 0, 0, len, false);
        self.in_use += 1;
        Some(index)
    }

    /// An empty block for data in order of a connection for which `received` blocks hold such data.
    #[inline(never)]
    pub(crate) fn take_for_order(&mut self, received: u32) -> Option<(u32, &mut Block)> {
        self.take_for_order_here(received)
    }

    /// The same, in the place of the call.
    #[inline(always)]
    pub(crate) fn take_for_order_here(&mut self, received: u32) -> Option<(u32, &mut Block)> {
        if received == 0 || received < self.spare() { self.take_block(0) } else { None }
    }

    /// An empty block for data to be sent from `place` on, of which it is the `first`, of a connection that holds `held` of
    /// them.
    pub(crate) fn take_for_sending(&mut self, held: u32, first: bool, place: u32) -> Option<u32> {
        if self.spares(held, first) { self.take_at(place) } else { None }
    }

    /// The same for the first, with the block itself, if one was given back before.
    #[inline(always)]
    pub(crate) fn take_to_begin(&mut self, held: u32, place: u32) -> Option<(u32, &mut Block)> {
        // As `spares` has it, but what is mostly so comes first.
        if self.free() > self.reserve / 2 || held < self.spare() { self.take_used(place) } else { None }
    }

    /// An empty block for data out of order of a connection that holds `held` of them.
    pub(crate) fn take_spare(&mut self, held: u32) -> Option<u32> {
        if held < self.spare() { self.take() } else { None }
    }

    /// Whether [`take_for_sending`](Self::take_for_sending) would give a block.
    pub(crate) fn spares(&self, held: u32, first: bool) -> bool {
        held < self.spare() || (first && self.free() > self.reserve / 2)
    }

    /// How many blocks are free beside the reserve.
    pub(crate) fn spare(&self) -> u32 {
        self.free().saturating_sub(self.reserve)
    }

    /// What is known of what is under way; `head` is the first block of the send queue, or [`NONE`].
    #[inline]
    pub(crate) fn under_way(&self, head: u32) -> &UnderWay {
        match self.blocks.get(head as usize) {
            Some(block) => &block.under_way,
            None if self.kept => &self.nothing,
            None => const { &UnderWay::NEW },
        }
    }

    /// The same, to be changed. Without a block nothing of it is kept.
    #[inline]
    pub(crate) fn under_way_mut(&mut self, head: u32) -> &mut UnderWay {
        match self.blocks.get_mut(head as usize) {
            Some(block) => &mut block.under_way,
            None => {
                if !self.kept {
                    self.nothing = UnderWay::NEW;
                }
                &mut self.nothing
            }
        }
    }

    /// The last of a queue is acknowledged, but not all is done that has to be: `under_way` stands for what its blocks held
    /// until [`forget`](Self::forget).
    pub(crate) fn keep(&mut self, under_way: UnderWay) {
        (self.nothing, self.kept) = (under_way, true);
    }

    /// Ends what [`keep`](Self::keep) began.
    pub(crate) fn forget(&mut self) {
        self.kept = false;
    }

    /// The send queue begins with block `head` now, and no longer with `before`.
    pub(crate) fn move_under_way(&mut self, before: u32, head: u32) {
        let under_way = *self.under_way(before);
        if let Some(block) = self.blocks.get_mut(head as usize) {
            block.under_way = under_way;
        }
    }

    /// How many blocks a connection that holds `held` of them may [take for sending](Self::take_for_sending), one after the other.
    #[inline]
    pub(crate) fn most_for_sending(&self, held: u32, first: bool) -> u32 {
        // Each that is taken is one more that is held, and one less that can be spared.
        let most = self.spare().saturating_sub(held).div_ceil(2);
        if most == 0 && first && self.free() > self.reserve / 2 { 1 } else { most }
    }

    /// Has `fill` write to up to `most` free blocks, one after the other, bytes from `place` on: up to `left` in all, of which the
    /// first block takes the first of `limits`, and each behind it the second. It says how many it wrote; a block that it does not
    /// fill is the last. `None` when none is free: it was not called then.
    #[inline(always)]
    pub(crate) fn fill_free(
        &mut self,
        mut place: u32,
        limits: [u16; 2],
        most: u32,
        mut left: usize,
        mut fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Option<Filled> {
        if most == 0 {
            return None;
        }
        let mut filled = Filled { first: NONE, last: NONE, blocks: 0, bytes: 0, limit: 0 };
        let (mut index, [mut limit, next_limit]) = (self.free_head, limits);
        loop {
            if index == NONE {
                match self.touch_behind(filled.last) {
                    Some(touched) => index = touched,
                    None if filled.blocks == 0 => return None,
                    None => break,
                }
            }
            let block = self.blocks.get_mut(index as usize)?;
            let room = left.min(limit.into());
            let count = fill(block.bytes.get_mut(..room)?);
            if count == 0 {
                break;
            }
            if filled.blocks == 0 {
                filled.first = index;
            }
            (block.seq, block.start, block.len, block.ends) = (place, 0, count as u16, false);
            (filled.last, filled.limit) = (index, limit);
            filled.blocks += 1;
            filled.bytes += count;
            left -= count;
            // It stays in the list of those that are free until all are filled.
            index = block.next;
            if count < room || left == 0 || filled.blocks == most {
                break;
            }
            place = place.wrapping_add(count as u32);
            limit = next_limit;
        }
        if let Some(last) = self.blocks.get_mut(filled.last as usize) {
            last.next = NONE;
            self.free_head = index;
            self.in_use += filled.blocks;
        }
        Some(filled)
    }

    /// Puts the first block that was never taken behind `last`, with which the list of those that were given back ends.
    #[inline(never)]
    fn touch_behind(&mut self, last: u32) -> Option<u32> {
        let index = self.untouched;
        let block = self.blocks.get_mut(index as usize)?;
        (block.next, block.start, block.len) = (NONE, FREE, 0);
        self.untouched = index + 1;
        match self.blocks.get_mut(last as usize) {
            Some(last) => last.next = index,
            None => self.free_head = index,
        }
        Some(index)
    }

    /// Takes a block back. One that is free already stays as it is.
    pub(crate) fn give(&mut self, index: u32) {
        let taken = self.blocks.get_mut(index as usize).filter(|_| index < self.untouched);
        let Some(block) = taken else { return };
        debug_assert_ne!(block.start, FREE, "a block is given back once");
        debug_assert!(block.is_whole(), "nothing of it lies elsewhere");
        if block.start == FREE {
            return;
        }
        (block.next, block.start, block.len) = (self.free_head, FREE, 0);
        self.free_head = index;
        self.in_use -= 1;
    }

    /// The same for one that somebody holds, as is known in the place of the call.
    #[inline(always)]
    pub(crate) fn give_held(&mut self, index: u32) {
        let Some(block) = self.blocks.get_mut(index as usize) else { return };
        debug_assert_ne!(block.start, FREE, "a block is given back once");
        (block.next, block.start, block.len) = (self.free_head, FREE, 0);
        self.free_head = index;
        self.in_use -= 1;
    }

    /// The same for one whose owner wants it back only if `look` gives something.
    #[inline(always)]
    pub(crate) fn give_if<R>(&mut self, index: u32, look: impl FnOnce(&UnderWay) -> Option<R>) -> Option<R> {
        let block = self.blocks.get_mut(index as usize)?;
        debug_assert_ne!(block.start, FREE, "a block is given back once");
        let result = look(&block.under_way)?;
        (block.next, block.start, block.len) = (self.free_head, FREE, 0);
        self.free_head = index;
        self.in_use -= 1;
        Some(result)
    }

    /// Takes back the block `head` and all that are chained to it.
    pub(crate) fn give_chain(&mut self, head: u32) {
        let mut index = head;
        while let Some(block) = self.blocks.get(index as usize).filter(|_| index < self.untouched) {
            if block.start == FREE {
                return;
            }
            let next = block.next;
            self.forget_pieces(index);
            self.give(index);
            index = next;
        }
    }

    /// Nobody will read what of block `index` lies elsewhere.
    fn forget_pieces(&mut self, index: u32) {
        let Some(block) = self.blocks.get_mut(index as usize) else { return };
        let next = block.next;
        for used in block.pieces.take_all() {
            self.keeping.used(used, next);
        }
    }

    /// The first `count` bytes of block `index` were read: not more than what is at its [front](Block::front). The block is
    /// given back when none is left; then gives the one behind it.
    #[inline]
    pub(crate) fn used(&mut self, index: u32, count: usize) -> Option<u32> {
        let block = self.blocks.get_mut(index as usize)?;
        block.skip(count);
        let (next, is_empty) = (block.next, block.len == 0);
        if let Some(used) = block.pieces.used_up_to(block.start) {
            self.keeping.used(used, next);
        }
        if !is_empty {
            return None;
        }
        self.give(index);
        Some(next)
    }

    /// Has `take` see block `index` piece by piece, until it leaves some of one: how many bytes it took. When it took all, the
    /// block is given back; then the one behind it, too.
    #[inline]
    pub(crate) fn take_pieces(
        &mut self,
        index: u32,
        device: &dyn Keeper,
        mut take: impl FnMut(&[u8]) -> usize,
    ) -> (usize, Option<u32>) {
        let Self { blocks, keeping, .. } = self;
        let Some(block) = blocks.get_mut(index as usize) else { return (0, None) };
        let (first, end, next) = (block.start, block.start + block.len, block.next);
        // Mostly nothing is left of any piece: all is as it was until that is known, and if `take` panics.
        let (mut start, mut pieces, mut read) = (first, block.pieces, 0);
        let mut is_left = false;
        while let Some(piece) = pieces.at_front(start)
            && let Some(bytes) = piece.bytes(device)
        {
            let count = take(bytes);
            if count < bytes.len() {
                start += count as u16;
                is_left = true;
                break;
            }
            start += bytes.len() as u16;
            _ = pieces.take_front();
            read += 1;
        }
        let mut before = block.pieces;
        for _ in 0..read {
            if let Some(used) = before.take_front() {
                keeping.used(used, next);
            }
        }
        if start < end {
            block.rest(start, pieces);
            if is_left {
                return (usize::from(start - first), None);
            }
            let (taken, next) = self.take_pieces_slow(index, device, &mut take);
            return (usize::from(start - first) + taken, next);
        }
        debug_assert!(pieces.is_empty(), "nothing of it lies elsewhere");
        block.pieces = pieces;
        self.give_held(index);
        (usize::from(end - first), Some(next))
    }

    /// The same where bytes of the block lie before its first piece, behind its last one, or begin within one.
    #[inline(never)]
    fn take_pieces_slow(
        &mut self,
        index: u32,
        device: &dyn Keeper,
        take: &mut dyn FnMut(&[u8]) -> usize,
    ) -> (usize, Option<u32>) {
        let mut taken = 0;
        while let Some(block) = self.get(index) {
            let piece = block.front_on(device);
            let len = piece.len();
            let count = take(piece).min(len);
            taken += count;
            if let Some(next) = self.used(index, count) {
                return (taken, Some(next));
            }
            if count < len || len == 0 {
                break;
            }
        }
        (taken, None)
    }

    /// Copies what still lies in frames to its place; gives the frames, which are not needed any more.
    pub(crate) fn fetch(&mut self, device: &dyn Keeper) -> FrameSet {
        let unread = core::mem::take(&mut self.keeping.unread);
        for frame in unread {
            let first = self.keeping.blocks.get(usize::from(frame.number())).copied().unwrap_or(NONE);
            let bytes = device.kept(frame);
            let mut index = first;
            while let Some(block) = self.blocks.get_mut(index as usize)
                && let Some((offset, at, len, is_last)) = block.pieces.take(frame)
            {
                debug_assert!(offset + len <= bytes.len(), "a device keeps the whole frame");
                if let (Some(to), Some(from)) = (block.bytes.get_mut(at..at + len), bytes.get(offset..offset + len)) {
                    mirage_checksum::copy(to, from);
                }
                index = if is_last { NONE } else { block.next };
            }
            self.keeping.pause = PAUSE;
        }
        core::mem::take(&mut self.keeping.frames)
    }

    /// How many blocks nobody holds.
    pub(crate) fn free(&self) -> u32 {
        self.total() - self.in_use
    }

    /// How many blocks are held.
    pub(crate) fn in_use(&self) -> u32 {
        self.in_use
    }

    /// How many blocks there are.
    pub(crate) fn total(&self) -> u32 {
        self.total
    }

    /// A block by its number, or `None` for [`NONE`].
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&Block> {
        self.blocks.get(index as usize)
    }

    /// The same, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Block> {
        self.blocks.get_mut(index as usize)
    }

    /// A block that is held. Its number comes from [`take`](Self::take).
    #[inline]
    pub(crate) fn block(&self, index: u32) -> &Block {
        &self.blocks[index as usize]
    }

    /// A block that is held. Its number comes from [`take`](Self::take).
    #[inline]
    pub(crate) fn block_mut(&mut self, index: u32) -> &mut Block {
        &mut self.blocks[index as usize]
    }

    /// Moves the bytes of block `from` behind those of block `to` if they fit whole. Does not give `from` back.
    pub(crate) fn merge(&mut self, to: u32, from: u32) -> bool {
        let Ok([to, from]) = self.blocks.get_disjoint_mut([to as usize, from as usize]) else { return false };
        from.len() <= to.room() && to.append(from.data()) == from.len()
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn a_block_is_nearly_three_kilobytes_in_all() {
        assert_eq!(size_of::<Block>(), 3136);
    }

    #[test]
    fn every_block_is_given_out_once_and_then_none() {
        let mut blocks = vec![Block::default(); 3];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut taken: Vec<u32> = core::iter::from_fn(|| pool.take()).collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
        assert_eq!((pool.free(), pool.in_use(), pool.total()), (0, 3, 3));
    }

    #[test]
    fn a_chain_is_given_back_whole() {
        let mut blocks = vec![Block::default(); 4];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let (a, b, c) = (pool.take().unwrap(), pool.take().unwrap(), pool.take().unwrap());
        pool.block_mut(a).next = c;
        pool.block_mut(c).next = b;
        pool.give_chain(a);
        assert_eq!(pool.in_use(), 0);
        pool.give_chain(NONE);
        assert_eq!(pool.free(), 4);
    }

    #[test]
    fn one_connection_alone_gets_half_of_what_can_be_spared() {
        let mut blocks = vec![Block::default(); 64];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        let mut held = 0;
        while pool.take_spare(held).is_some() {
            held += 1;
        }
        assert_eq!(held, 24, "half of 64 less the reserve of 16");
        assert!(pool.take_spare(0).is_some(), "another still finds room");
    }

    #[test]
    fn the_reserve_is_for_those_who_hold_nothing() {
        let mut blocks = vec![Block::default(); 16];
        let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
        while pool.take_spare(0).is_some() {}
        assert!(pool.take_for_order(1).is_none());
        assert_eq!((pool.free(), pool.take_for_sending(1, false, 0)), (4, None));
        while pool.take_for_sending(1, true, 0).is_some() {}
        assert_eq!(pool.free(), 2);
        while pool.take_for_order(0).is_some() {}
        assert_eq!(pool.free(), 0);
    }

    #[test]
    fn as_many_can_be_taken_as_one_after_the_other() {
        for (total, in_use, held, first) in (0..200_u32).map(|step| (1 + step % 40, step / 9, step % 7, step % 2 == 0))
        {
            let mut blocks = vec![Block::default(); total as usize];
            let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
            (0..in_use).for_each(|_| _ = pool.take());
            let most = pool.most_for_sending(held, first);
            let taken =
                (0..).take_while(|more| pool.take_for_sending(held + more, first && *more == 0, 0).is_some()).count();
            assert_eq!(most as usize, taken, "{in_use} of {total} in use, {held} held, {first}");
        }
    }

    #[test]
    fn bytes_put_before_a_block_move_its_place_in_the_stream() {
        let mut block = Block { seq: 10, start: 0, ..Block::default() };
        block.append(b"world");
        assert!(block.prepend(b"hello "));
        assert_eq!(block.data(), b"hello world");
        assert_eq!((block.seq, block.end()), (4, 15));
        assert!(!block.prepend(&[0; BLOCK_BYTES]));
        block.skip(6);
        assert_eq!((block.data(), block.seq), (&b"world"[..], 10));
    }

    proptest! {
        /// Whatever is taken and given back, no block has two holders and the numbers add up.
        #[test]
        fn no_block_has_two_holders(steps in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut blocks = vec![Block::default(); 9];
            let mut pool = Pool::new(ManagedSlice::Borrowed(&mut blocks));
            let mut held: Vec<u32> = Vec::new();
            for step in steps {
                if step % 2 == 0 {
                    match pool.take() {
                        Some(index) => { prop_assert!(!held.contains(&index)); held.push(index); }
                        None => prop_assert_eq!(held.len(), 9),
                    }
                } else if !held.is_empty() {
                    pool.give(held.swap_remove(usize::from(step / 2) % held.len()));
                }
                prop_assert_eq!(pool.in_use() as usize, held.len());
                prop_assert_eq!(pool.free() as usize, 9 - held.len());
            }
        }
    }
}
