//! What came in: bytes in order that wait for the application, and bytes out of order that wait for a hole to fill.

mod kept;

use mirage_checksum::{SequenceNumber, Sum, copy, copy_and_sum, copy_and_sum_short, copy_short};
use mirage_net::ReceivedChecksum;

use zerocopy::FromZeros;

use crate::kept::Frames;
use crate::pool::{BLOCK_BYTES, NONE, Pool};

/// A stream's bytes from the first unread one on, and pieces of what follows behind holes.
///
/// Each byte is stored once: what is there already stays, of a piece that overlaps it only the new part is taken. When a
/// hole fills, the blocks behind it are linked to those in order, not copied.
#[derive(Debug)]
pub(crate) struct ReceiveQueue {
    /// Blocks in order. Invariant: `NONE` exactly when `readable` is 0.
    head: u32,
    tail: u32,
    readable: u32,
    /// Blocks out of order, sorted, none overlapping another, each beginning after the next byte in order.
    ooo_head: u32,
    /// Runs of bytes out of order without a hole inside.
    ooo_ranges: u16,
    ooo_blocks: u16,
    /// Blocks held in all.
    blocks: u32,
}

/// What is known of the bytes out of order: it lies in the first of their blocks.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Behind {
    /// The last of the blocks: a burst behind one hole goes there without a walk.
    tail: u32,
    bytes: u32,
    /// Numbers of what came last, newest first: what selective acknowledgments tell of first.
    pub(crate) latest: [u32; 3],
}

impl Behind {
    /// There are none.
    const NONE: Self = Self { tail: NONE, bytes: 0, latest: [0; 3] };
}

/// How much out of order a connection may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes out of order.
    pub(crate) bytes: u32,
    /// Runs of them with holes between.
    pub(crate) ranges: u16,
    /// Blocks that the connection holds elsewhere: they count for the pool's fairness.
    pub(crate) held: u32,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// By how much the next expected number moves on: bytes that became readable.
    pub(crate) advanced: u32,
    /// Bytes kept for later.
    pub(crate) stored_out_of_order: u32,
    /// Nothing of it was new.
    pub(crate) duplicate: bool,
    /// New bytes for which there was no room: the peer must send them again.
    pub(crate) dropped: u32,
}

impl Default for ReceiveQueue {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, readable: 0, ooo_head: NONE, ooo_ranges: 0, ooo_blocks: 0, blocks: 0 }
    }
}

impl ReceiveQueue {
    /// How many bytes the application can read.
    pub(crate) fn readable(&self) -> u32 {
        self.readable
    }

    /// Whether it holds nothing.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks == 0
    }

    /// Whether bytes wait behind holes.
    #[inline]
    pub(crate) fn has_holes(&self) -> bool {
        self.ooo_head != NONE
    }

    /// How many bytes wait behind holes.
    pub(crate) fn ooo_bytes(&self, pool: &Pool<'_>) -> u32 {
        self.behind(pool).bytes
    }

    /// What is known of the bytes behind holes.
    pub(crate) fn behind(&self, pool: &Pool<'_>) -> Behind {
        if self.ooo_head == NONE { Behind::NONE } else { pool.block(self.ooo_head).behind }
    }

    /// The same, to be changed; `None` when there are no such bytes.
    pub(crate) fn behind_mut<'p>(&self, pool: &'p mut Pool<'_>) -> Option<&'p mut Behind> {
        if self.ooo_head == NONE { None } else { Some(&mut pool.block_mut(self.ooo_head).behind) }
    }

    /// How many blocks it holds.
    pub(crate) fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Takes `payload`, whose first byte is number `seq`, when `rcv_nxt` is the next number in order. The caller has cut
    /// off what lies behind the window.
    pub(crate) fn insert(
        &mut self,
        pool: &mut Pool<'_>,
        rcv_nxt: SequenceNumber,
        seq: SequenceNumber,
        payload: &[u8],
        limits: &Limits,
    ) -> Inserted {
        if seq == rcv_nxt && self.ooo_head == NONE {
            let advanced = self.append(pool, payload) as u32;
            let dropped = payload.len() as u32 - advanced;
            return Inserted { advanced, dropped, duplicate: payload.is_empty(), ..Inserted::default() };
        }
        self.insert_slow(pool, rcv_nxt, seq, payload, limits)
    }

    /// The same without keeping what comes behind a hole; `next`: `payload` is next in order.
    pub(crate) fn insert_next(&mut self, pool: &mut Pool<'_>, next: bool, payload: &[u8]) -> Inserted {
        let advanced = if next { self.append_slow(pool, payload) as u32 } else { 0 };
        Inserted { advanced, dropped: payload.len() as u32 - advanced, ..Inserted::default() }
    }

    fn insert_slow(
        &mut self,
        pool: &mut Pool<'_>,
        rcv_nxt: SequenceNumber,
        seq: SequenceNumber,
        payload: &[u8],
        limits: &Limits,
    ) -> Inserted {
        let old = rcv_nxt.signed_since(seq).max(0);
        let payload = payload.get(old as usize..).unwrap_or_default();
        let mut work = Work { behind: self.behind(pool), limits };
        let mut inserted = if seq.after(rcv_nxt) {
            self.insert_out_of_order(pool, &mut work, seq, payload)
        } else {
            self.insert_in_order(pool, &mut work.behind, rcv_nxt, payload)
        };
        if let Some(behind) = self.behind_mut(pool) {
            *behind = work.behind;
        }
        inserted.duplicate = inserted == Inserted::default();
        inserted
    }

    /// Fills the hole before what is out of order, as far as `payload` goes, and whatever holes follow.
    fn insert_in_order(
        &mut self,
        pool: &mut Pool<'_>,
        behind: &mut Behind,
        rcv_nxt: SequenceNumber,
        payload: &[u8],
    ) -> Inserted {
        let (mut next, mut rest) = (rcv_nxt, payload);
        while !rest.is_empty() {
            let hole = match self.ooo_head {
                NONE => usize::MAX,
                head => SequenceNumber(pool.block(head).seq).since(next) as usize,
            };
            let piece = rest.get(..hole).unwrap_or(rest);
            let count = self.append(pool, piece);
            next += count as u32;
            rest = rest.get(count..).unwrap_or_default();
            if count == hole {
                let linked = self.link(pool, behind);
                next += linked;
                rest = rest.get(linked as usize..).unwrap_or_default();
            } else if count < piece.len() && !self.give_up_last(pool, behind) {
                break;
            }
        }
        Inserted { advanced: next.since(rcv_nxt), dropped: rest.len() as u32, ..Inserted::default() }
    }

    /// Copies `bytes`, which are next in order, to where they belong. With the `sum` of what was before them they are summed
    /// on the way, and taken in only if that makes a valid one: whether they were. `None` when there is no room for them, and
    /// then nothing was done.
    #[inline(always)]
    pub(crate) fn take_valid(&mut self, pool: &mut Pool<'_>, bytes: &[u8], sum: Option<Sum>) -> Option<bool> {
        let len = bytes.len();
        if let Some(tail) = pool.get_mut(self.tail)
            && let Some(space) = tail.whole_space(len)
        {
            let is_valid = copy_valid(space, bytes, sum);
            if is_valid {
                tail.grow(len);
                self.readable += len as u32;
            }
            return Some(is_valid);
        }
        if len > BLOCK_BYTES || pool.get(self.tail).is_some_and(|tail| tail.room() > LEAST_ROOM) {
            return self.take_apart(pool, bytes, sum);
        }
        let (index, block) = pool.take_for_order(self.blocks)?;
        if !copy_valid(block.whole_space(len)?, bytes, sum) {
            pool.give(index);
            return Some(false);
        }
        block.grow(len);
        match pool.get_mut(self.tail) {
            Some(tail) => tail.next = index,
            None => self.head = index,
        }
        self.tail = index;
        self.blocks += 1;
        self.readable += len as u32;
        Some(true)
    }

    /// The same for a few bytes into an empty queue, which may have been `checked` before; whether they were taken.
    #[inline(always)]
    pub(crate) fn take_first(
        &mut self,
        pool: &mut Pool<'_>,
        bytes: &[u8],
        sum: Sum,
        checked: ReceivedChecksum,
    ) -> bool {
        let len = bytes.len();
        let index = pool.take_filled(
            #[inline(always)]
            |block| {
                let sum = sum.add_sum(copy_and_sum_short(block.get_mut(..len)?, bytes));
                (sum.is_valid() || checked != ReceivedChecksum::Unchecked).then_some(len)
            },
        );
        let Some(index) = index else { return false };
        (self.head, self.tail, self.blocks, self.readable) = (index, index, 1, len as u32);
        true
    }

    /// The same for bytes that a device has checked; `None` when there is no room for them.
    #[inline(never)]
    pub(crate) fn take_checked(&mut self, pool: &mut Pool<'_>, bytes: &[u8]) -> Option<bool> {
        self.take_valid(pool, bytes, None)
    }

    /// The same for what has no room in one block: what does not fit behind the bytes in order goes into new ones.
    #[inline(never)]
    fn take_apart(&mut self, pool: &mut Pool<'_>, bytes: &[u8], sum: Option<Sum>) -> Option<bool> {
        let mut copied = Copied { in_tail: 0, first: NONE, last: NONE, blocks: 0 };
        let (mut rest, mut sum) = (bytes, sum);
        if let Some(tail) = pool.get_mut(self.tail)
            && tail.room() > LEAST_ROOM
        {
            let space = tail.space(BLOCK_BYTES);
            copied.in_tail = space.len().min(rest.len());
            sum = copy_summed(space, rest, sum);
            rest = rest.get(copied.in_tail..).unwrap_or_default();
        }
        while !rest.is_empty() {
            let Some((index, block)) = pool.take_for_order(self.blocks + copied.blocks) else {
                pool.give_chain(copied.first);
                return None;
            };
            let len = rest.len().min(BLOCK_BYTES);
            sum = copy_summed(block.space(BLOCK_BYTES), rest, sum);
            block.grow(len);
            rest = rest.get(len..).unwrap_or_default();
            copied.blocks += 1;
            match copied.last {
                NONE => copied.first = index,
                last => pool.block_mut(last).next = index,
            }
            copied.last = index;
        }
        let is_valid = sum.is_none_or(Sum::is_valid);
        match is_valid {
            true => self.keep(pool, &copied, bytes.len()),
            false => pool.give_chain(copied.first),
        }
        Some(is_valid)
    }

    /// What was copied apart, `len` bytes in all, is taken in.
    fn keep(&mut self, pool: &mut Pool<'_>, copied: &Copied, len: usize) {
        match pool.get_mut(self.tail) {
            Some(tail) => {
                tail.grow(copied.in_tail);
                tail.next = copied.first;
            }
            None => self.head = copied.first,
        }
        if copied.last != NONE {
            self.tail = copied.last;
        }
        self.blocks += copied.blocks;
        self.readable += len as u32;
    }

    /// Copies as much of `bytes` behind those in order as the pool allows; gives how much that was. What does not fit into
    /// a last block that is nearly full goes into a new one, so that usual segments lie in one piece.
    #[inline]
    fn append(&mut self, pool: &mut Pool<'_>, bytes: &[u8]) -> usize {
        if self.tail != NONE && bytes.len() <= pool.block(self.tail).room() {
            // The copy out of the device's buffer; the application makes none when it reads in place.
            let count = pool.block_mut(self.tail).append(bytes);
            self.readable += count as u32;
            return count;
        }
        self.append_slow(pool, bytes)
    }

    fn append_slow(&mut self, pool: &mut Pool<'_>, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        let mut whole = true;
        while !rest.is_empty() {
            let count = match self.tail {
                NONE => 0,
                tail if whole && pool.block(tail).room() <= LEAST_ROOM => 0,
                tail => pool.block_mut(tail).append(rest),
            };
            rest = rest.get(count..).unwrap_or_default();
            self.readable += count as u32;
            if rest.is_empty() {
                break;
            }
            let Some((index, _)) = pool.take_for_order(self.blocks) else {
                if whole && self.tail != NONE && pool.block(self.tail).room() > 0 {
                    // Rather little than nothing.
                    whole = false;
                    continue;
                }
                break;
            };
            self.blocks += 1;
            match self.tail {
                NONE => self.head = index,
                tail => pool.block_mut(tail).next = index,
            }
            self.tail = index;
        }
        bytes.len() - rest.len()
    }

    /// Moves the first run out of order behind the bytes in order; gives its length.
    fn link(&mut self, pool: &mut Pool<'_>, behind: &mut Behind) -> u32 {
        let mut linked = 0;
        let mut expected = None;
        while self.ooo_head != NONE {
            let index = self.ooo_head;
            let block = pool.block_mut(index);
            if expected.is_some_and(|expected| expected != block.seq) {
                break;
            }
            expected = Some(block.end());
            let len = block.len() as u32;
            self.ooo_head = core::mem::replace(&mut block.next, NONE);
            linked += len;
            self.ooo_blocks -= 1;
            match self.tail {
                NONE => (self.head, self.tail) = (index, index),
                // A scrap is copied: otherwise a peer who sends scraps would fill the pool with nearly empty blocks.
                tail if len <= SCRAP && pool.merge(tail, index) => {
                    pool.give(index);
                    self.blocks -= 1;
                }
                tail => {
                    pool.block_mut(tail).next = index;
                    self.tail = index;
                }
            }
        }
        if self.ooo_head == NONE {
            behind.tail = NONE;
        }
        self.ooo_ranges -= u16::from(linked > 0);
        behind.bytes -= linked;
        self.readable += linked;
        linked
    }

    /// Stores what is new of `payload` among what is out of order.
    fn insert_out_of_order(
        &mut self,
        pool: &mut Pool<'_>,
        work: &mut Work<'_>,
        seq: SequenceNumber,
        payload: &[u8],
    ) -> Inserted {
        let (mut seq, mut rest) = (seq, payload);
        // The place: behind `previous`, before `current`.
        let mut previous = NONE;
        let mut current = self.ooo_head;
        if work.behind.tail != NONE && seq.at_or_after(SequenceNumber(pool.block(work.behind.tail).end())) {
            (previous, current) = (work.behind.tail, NONE);
        }
        let mut stored = 0;
        while !rest.is_empty() {
            let mut hole = rest.len();
            if current != NONE {
                let block = pool.block(current);
                if seq.at_or_after(SequenceNumber(block.end())) {
                    (previous, current) = (current, block.next);
                    continue;
                }
                let start = SequenceNumber(block.seq);
                if start.at_or_before(seq) {
                    let known = SequenceNumber(block.end()).since(seq);
                    seq += known;
                    rest = rest.get(known as usize..).unwrap_or_default();
                    continue;
                }
                hole = hole.min(start.since(seq) as usize);
            }
            let (piece, beyond) = rest.split_at(hole);
            let count = self.store(pool, work, &mut previous, current, seq, piece);
            stored += count as u32;
            seq += count as u32;
            if count < piece.len() {
                let dropped = (rest.len() - count) as u32;
                return Inserted { stored_out_of_order: stored, dropped, ..Inserted::default() };
            }
            // What was stored may have been joined with `current`: the next step finds its place from there anew.
            current = if previous == NONE { self.ooo_head } else { previous };
            rest = beyond;
        }
        Inserted { stored_out_of_order: stored, ..Inserted::default() }
    }

    /// Stores `piece`, which fits in the hole between the blocks `previous` and `current`; gives how much of it.
    /// `previous` becomes the last block before what was stored, or the one that holds it.
    fn store(
        &mut self,
        pool: &mut Pool<'_>,
        Work { behind, limits }: &mut Work<'_>,
        previous: &mut u32,
        current: u32,
        seq: SequenceNumber,
        piece: &[u8],
    ) -> usize {
        let allowed = piece.len().min(limits.bytes.saturating_sub(behind.bytes) as usize);
        let mut rest = piece.get(..allowed).unwrap_or_default();
        let mut follows = *previous != NONE && pool.block(*previous).end() == seq.0;
        let precedes =
            current != NONE && allowed == piece.len() && pool.block(current).seq == seq.add(piece.len() as u32).0;
        if precedes && !follows && pool.block_mut(current).prepend(rest) {
            behind.bytes += allowed as u32;
            return allowed;
        }
        if !follows && !precedes && self.ooo_ranges >= limits.ranges {
            return 0;
        }
        let mut seq = seq;
        let mut stored = 0;
        while !rest.is_empty() {
            let mut count = if follows { pool.block_mut(*previous).append(rest) } else { 0 };
            if count == 0 {
                let Some(index) = self.take_out_of_order(pool, limits) else { break };
                let block = pool.block_mut(index);
                block.seq = seq.0;
                block.next = current;
                count = block.append(rest);
                match *previous {
                    NONE => self.ooo_head = index,
                    previous => pool.block_mut(previous).next = index,
                }
                if current == NONE {
                    behind.tail = index;
                }
                self.ooo_ranges += u16::from(!follows);
                *previous = index;
                follows = true;
            }
            seq += count as u32;
            stored += count;
            rest = rest.get(count..).unwrap_or_default();
        }
        behind.bytes += stored as u32;
        if precedes && stored == piece.len() {
            self.ooo_ranges -= 1;
            self.join(pool, behind, *previous, current);
        }
        stored
    }

    /// A block for data out of order. However small the pieces, their blocks are at worst a quarter full and a few more.
    fn take_out_of_order(&mut self, pool: &mut Pool<'_>, limits: &Limits) -> Option<u32> {
        let bound = limits.bytes / (BLOCK_BYTES as u32 / 4) + u32::from(limits.ranges);
        if u32::from(self.ooo_blocks) >= bound.min(u16::MAX.into()) {
            return None;
        }
        let index = pool.take_spare(self.blocks + limits.held)?;
        self.blocks += 1;
        self.ooo_blocks += 1;
        Some(index)
    }

    /// Joins two neighbours without a hole between if the second is a scrap and fits.
    fn join(&mut self, pool: &mut Pool<'_>, behind: &mut Behind, first: u32, second: u32) {
        let block = pool.block(second);
        let (len, next) = (block.len() as u32, block.next);
        if len <= SCRAP && pool.merge(first, second) {
            pool.block_mut(first).next = next;
            if behind.tail == second {
                behind.tail = first;
            }
            pool.give(second);
            self.blocks -= 1;
            self.ooo_blocks -= 1;
        }
    }

    /// Gives the last block out of order back for data in order, which must not wait for the reader of another
    /// connection (RFC 2018 §8 allows it). `false` when there is none.
    fn give_up_last(&mut self, pool: &mut Pool<'_>, behind: &mut Behind) -> bool {
        let last = behind.tail;
        if last == NONE {
            return false;
        }
        let mut previous = NONE;
        let mut index = self.ooo_head;
        while index != last && index != NONE {
            previous = index;
            index = pool.block(index).next;
        }
        let block = pool.block(last);
        behind.bytes -= block.len() as u32;
        let joined = previous != NONE && pool.block(previous).end() == block.seq;
        self.ooo_ranges -= u16::from(!joined);
        match previous {
            NONE => self.ooo_head = NONE,
            previous => pool.block_mut(previous).next = NONE,
        }
        behind.tail = previous;
        self.ooo_blocks -= 1;
        self.blocks -= 1;
        pool.give(last);
        true
    }

    /// Moves all readable bytes into `buffer` if they lie in one block and there is room for them; gives how many they are.
    #[inline(always)]
    pub(crate) fn read_whole(&mut self, pool: &mut Pool<'_>, buffer: &mut [u8]) -> Option<usize> {
        let bytes = pool.get(self.head)?.held()?;
        if self.head != self.tail || bytes.len() > buffer.len() {
            return None;
        }
        // The second and last copy on the way in.
        let count = copy_short(buffer, bytes);
        pool.give_held(self.head);
        (self.head, self.tail, self.readable) = (NONE, NONE, 0);
        self.blocks -= 1;
        Some(count)
    }

    /// Moves readable bytes into `buffer`; gives how many.
    pub(crate) fn read(&mut self, pool: &mut Pool<'_>, frames: &(impl Frames + ?Sized), buffer: &mut [u8]) -> usize {
        let mut copied = 0;
        while let Some(space) = buffer.get_mut(copied..).filter(|space| !space.is_empty())
            && let Some(block) = pool.get_mut(self.head)
        {
            // The second and last copy on the way in; the only one of what stayed in its frame.
            if !block.is_whole() {
                let before = copied;
                frames.visit(&mut |device| {
                    self.take_each_kept(pool, device, |bytes| {
                        let count = copy_some(buffer.get_mut(copied..).unwrap_or_default(), bytes);
                        copied += count;
                        count
                    });
                });
                if copied == before || copied == buffer.len() {
                    break;
                }
                continue;
            }
            let count = copy_some(space, block.data());
            copied += count;
            self.readable -= count as u32;
            if count < block.len() {
                block.skip(count);
                break;
            }
            let index = core::mem::replace(&mut self.head, block.next);
            self.blocks -= 1;
            pool.give(index);
        }
        if self.head == NONE {
            self.tail = NONE;
        }
        copied
    }

    /// Has `take` see the readable bytes that lie in one piece at the front, and say how many of them it took.
    pub(crate) fn take_front<R>(
        &mut self,
        pool: &mut Pool<'_>,
        frames: &(impl Frames + ?Sized),
        take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Option<R> {
        let block = pool.get(self.head)?;
        let (count, result) = if block.is_whole() {
            let piece = block.data();
            let (count, result) = take(piece);
            (count.min(piece.len()), result)
        } else {
            let (mut take, mut taken) = (Some(take), None);
            frames.visit(&mut |device| {
                if let Some(take) = take.take() {
                    let piece = block.front_on(device);
                    let (count, result) = take(piece);
                    taken = Some((count.min(piece.len()), result));
                }
            });
            taken?
        };
        self.used(pool, count);
        Some(result)
    }

    /// Has `take` see what lies in order, piece by piece, until it leaves some of one; gives how many bytes it took.
    #[inline(always)]
    pub(crate) fn take_each(
        &mut self,
        pool: &mut Pool<'_>,
        frames: &(impl Frames + ?Sized),
        mut take: impl FnMut(&[u8]) -> usize,
    ) -> usize {
        let mut taken = 0;
        while let Some(block) = pool.get_mut(self.head) {
            if !block.is_whole() {
                let mut is_left = true;
                frames.visit(&mut |device| {
                    let count = self.take_each_kept(pool, device, &mut take);
                    taken += count.0;
                    is_left = count.1;
                });
                if is_left {
                    return taken;
                }
                continue;
            }
            let piece = block.data();
            let len = piece.len();
            let count = take(piece).min(len);
            taken += count;
            self.readable -= count as u32;
            if count < len {
                block.skip(count);
                return taken;
            }
            let head = self.head;
            self.head = block.next;
            self.blocks -= 1;
            pool.give(head);
        }
        self.tail = NONE;
        taken
    }

    /// The first `count` bytes are used, which are not more than lie in one piece.
    #[inline]
    fn used(&mut self, pool: &mut Pool<'_>, count: usize) {
        self.readable -= count as u32;
        if let Some(next) = pool.used(self.head, count) {
            self.blocks -= 1;
            self.head = next;
            if next == NONE {
                self.tail = NONE;
            }
        }
    }

    /// Forgets the readable bytes: nobody will read them.
    pub(crate) fn forget_readable(&mut self, pool: &mut Pool<'_>) {
        let mut index = self.head;
        while let Some(block) = pool.get(index) {
            index = block.next;
            self.blocks -= 1;
        }
        pool.give_chain(self.head);
        (self.head, self.tail, self.readable) = (NONE, NONE, 0);
    }

    /// How many runs of bytes out of order there are.
    pub(crate) fn ooo_range_count(&self) -> u32 {
        self.ooo_ranges.into()
    }

    /// The runs of bytes out of order, each from its first number to the one behind its last, in order.
    pub(crate) fn ooo_ranges<'p>(
        &self,
        pool: &'p Pool<'_>,
    ) -> impl Iterator<Item = (SequenceNumber, SequenceNumber)> + use<'p> {
        let mut index = self.ooo_head;
        core::iter::from_fn(move || {
            if index == NONE {
                return None;
            }
            let first = pool.block(index);
            let mut end = first.end();
            index = first.next;
            while index != NONE && pool.block(index).seq == end {
                end = pool.block(index).end();
                index = pool.block(index).next;
            }
            Some((SequenceNumber(first.seq), SequenceNumber(end)))
        })
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, pool: &mut Pool<'_>) {
        pool.give_chain(self.head);
        pool.give_chain(self.ooo_head);
        *self = Self::default();
    }

    /// Counts everything anew.
    #[cfg(test)]
    fn check(&self, pool: &Pool<'_>, rcv_nxt: SequenceNumber) {
        let (mut bytes, mut blocks, mut ranges) = (0, 0, 0);
        let (mut last, mut end) = (NONE, rcv_nxt.0);
        let mut index = self.ooo_head;
        while index != NONE {
            let block = pool.block(index);
            assert!(block.len() > 0);
            let start = SequenceNumber(block.seq);
            assert!(start.at_or_after(SequenceNumber(end)) && (last != NONE || start.0 != end), "sorted, apart");
            ranges += u16::from(last == NONE || block.seq != end);
            bytes += block.len() as u32;
            blocks += 1;
            (last, end) = (index, block.end());
            index = block.next;
        }
        let behind = self.behind(pool);
        assert_eq!((behind.bytes, self.ooo_blocks, self.ooo_ranges, behind.tail), (bytes, blocks, ranges, last));
        assert_eq!(self.ooo_ranges(pool).count(), usize::from(ranges));
        let (mut readable, mut in_order) = (0, 0);
        index = self.head;
        while index != NONE {
            readable += pool.block(index).len() as u32;
            in_order += 1;
            index = pool.block(index).next;
        }
        assert_eq!(self.readable, readable);
        assert_eq!(self.blocks, in_order + u32::from(blocks));
    }
}

/// Bytes that lie where they belong, and are not taken in yet.
struct Copied {
    /// How many lie in the last block of those in order.
    in_tail: usize,
    /// The new blocks that hold the others, and how many these are.
    first: u32,
    last: u32,
    blocks: u32,
}

/// Copies as much of `bytes` as there is `space` for; gives how much that is.
fn copy_some(space: &mut [u8], bytes: &[u8]) -> usize {
    let count = bytes.len().min(space.len());
    match (space.get_mut(..count), bytes.get(..count)) {
        (Some(to), Some(from)) => copy(to, from),
        _ => 0,
    }
}

/// Copies `bytes` to the start of `space`; whether they end a valid sum that begins with `sum`, if there is one.
#[inline(always)]
fn copy_valid(space: &mut [u8], bytes: &[u8], sum: Option<Sum>) -> bool {
    copy_summed(space, bytes, sum).is_none_or(Sum::is_valid)
}

/// Copies as much of `bytes` as there is `space` for, and adds it to `sum`, if there is one.
#[inline(always)]
fn copy_summed(space: &mut [u8], bytes: &[u8], sum: Option<Sum>) -> Option<Sum> {
    // The copy out of the device's buffer; the application makes none when it reads in place.
    if let Some(sum) = sum {
        return Some(sum.add_sum(copy_and_sum(space, bytes)));
    }
    copy(space, bytes);
    None
}

/// What a segment out of the ordinary is sorted in with.
struct Work<'l> {
    behind: Behind,
    limits: &'l Limits,
}

/// How many bytes at the end of a block may stay unused.
pub(crate) const LEAST_ROOM: usize = 64;
/// A block with at most this many bytes is worth copying to save it.
const SCRAP: u32 = 256;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use crate::kept::NoFrames;
    use crate::pool::Block;
    use alloc::vec;
    use alloc::vec::Vec;
    use managed::ManagedSlice;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { bytes: 65_536, ranges: 32, held: 0 };
    const START: SequenceNumber = SequenceNumber(u32::MAX - 5000);

    struct Fixture {
        next: SequenceNumber,
        queue: ReceiveQueue,
        stream: Vec<u8>,
        read: Vec<u8>,
    }

    impl Fixture {
        fn new(len: usize) -> Self {
            let stream = (0..len).map(|place| (place % 251) as u8).collect();
            Self { next: START, queue: ReceiveQueue::default(), stream, read: Vec::new() }
        }

        fn insert(&mut self, pool: &mut Pool<'_>, start: usize, end: usize, limits: &Limits) -> Inserted {
            let seq = START.add(start as u32);
            let inserted = self.queue.insert(pool, self.next, seq, &self.stream[start..end], limits);
            self.next += inserted.advanced;
            self.queue.check(pool, self.next);
            inserted
        }

        fn read(&mut self, pool: &mut Pool<'_>, count: usize) {
            let mut buffer = vec![0; count];
            let count = self.queue.read(pool, &NoFrames, &mut buffer);
            self.read.extend(&buffer[..count]);
            self.queue.check(pool, self.next);
        }
    }

    fn with_pool(blocks: usize, test: impl FnOnce(&mut Pool<'_>)) {
        let mut blocks = vec![Block::default(); blocks];
        test(&mut Pool::new(ManagedSlice::Borrowed(&mut blocks)));
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<ReceiveQueue>() <= 24);
    }

    #[test]
    fn bytes_in_order_are_read_in_order_and_leave_no_block() {
        with_pool(8, |pool| {
            let mut fixture = Fixture::new(5000);
            assert_eq!(fixture.insert(pool, 0, 1460, &LIMITS).advanced, 1460);
            assert_eq!(fixture.insert(pool, 1460, 2920, &LIMITS).advanced, 1460);
            assert_eq!(fixture.queue.blocks(), 1, "segments share blocks");
            fixture.read(pool, 3000);
            assert_eq!(fixture.read, fixture.stream[..2920]);
            assert_eq!(pool.in_use(), 0);
        });
    }

    #[test]
    fn a_hole_holds_back_what_is_behind_it() {
        with_pool(8, |pool| {
            let mut fixture = Fixture::new(5000);
            let inserted = fixture.insert(pool, 1000, 2000, &LIMITS);
            assert_eq!(inserted, Inserted { stored_out_of_order: 1000, ..Inserted::default() });
            assert_eq!((fixture.queue.readable(), fixture.queue.ooo_bytes(pool)), (0, 1000));
            assert_eq!(fixture.insert(pool, 0, 1000, &LIMITS).advanced, 2000);
            assert_eq!((fixture.queue.readable(), fixture.queue.ooo_bytes(pool)), (2000, 0));
        });
    }

    #[test]
    fn what_came_before_is_a_duplicate() {
        with_pool(8, |pool| {
            let mut fixture = Fixture::new(5000);
            fixture.insert(pool, 0, 100, &LIMITS);
            fixture.insert(pool, 200, 300, &LIMITS);
            for (start, end) in [(0, 100), (50, 60), (200, 300), (220, 250), (70, 70)] {
                assert!(fixture.insert(pool, start, end, &LIMITS).duplicate, "{start}..{end}");
            }
            assert_eq!(fixture.insert(pool, 50, 150, &LIMITS).advanced, 50);
            assert_eq!(fixture.insert(pool, 250, 310, &LIMITS).stored_out_of_order, 10);
        });
    }

    #[test]
    fn a_burst_behind_a_hole_goes_to_the_end_and_is_one_range() {
        with_pool(64, |pool| {
            let mut fixture = Fixture::new(30_000);
            for segment in 1..20 {
                fixture.insert(pool, segment * 1460, (segment + 1) * 1460, &LIMITS);
            }
            let ranges: Vec<_> = fixture.queue.ooo_ranges(pool).collect();
            assert_eq!(ranges, [(START.add(1460), START.add(29_200))]);
            let before = pool.in_use();
            assert_eq!(fixture.insert(pool, 0, 1460, &LIMITS).advanced, 29_200);
            assert!(pool.in_use() <= before + 1, "linked, not copied");
            fixture.read(pool, 40_000);
            assert_eq!(fixture.read, fixture.stream[..29_200]);
        });
    }

    #[test]
    fn a_piece_that_reaches_over_a_scrap_stores_it_once() {
        with_pool(64, |pool| {
            let mut fixture = Fixture::new(10_000);
            fixture.insert(pool, 8344, 8345, &LIMITS);
            assert_eq!(fixture.insert(pool, 5590, 8400, &LIMITS).stored_out_of_order, 2809);
            assert_eq!(fixture.insert(pool, 0, 5590, &LIMITS).advanced, 8400);
            fixture.read(pool, 10_000);
            assert_eq!(fixture.read, fixture.stream[..8400]);
        });
    }

    #[test]
    fn scraps_out_of_order_are_bounded_by_ranges() {
        with_pool(1000, |pool| {
            let mut fixture = Fixture::new(65_536);
            for scrap in 1..30_000 {
                fixture.insert(pool, scrap * 2, scrap * 2 + 1, &LIMITS);
            }
            assert_eq!(fixture.queue.ooo_bytes(pool), u32::from(LIMITS.ranges));
            assert!(pool.in_use() <= u32::from(LIMITS.ranges));
        });
    }

    #[test]
    fn scraps_that_come_backwards_share_blocks() {
        with_pool(1000, |pool| {
            let mut fixture = Fixture::new(10_000);
            for scrap in (1..10_000).rev() {
                assert_eq!(fixture.insert(pool, scrap, scrap + 1, &LIMITS).stored_out_of_order, 1);
            }
            assert!(pool.in_use() <= 6, "{}", pool.in_use());
            assert_eq!(fixture.insert(pool, 0, 1, &LIMITS).advanced, 10_000);
            fixture.read(pool, 10_000);
            assert_eq!(fixture.read, fixture.stream);
        });
    }

    #[test]
    fn bytes_out_of_order_are_bounded() {
        with_pool(64, |pool| {
            let mut fixture = Fixture::new(10_000);
            let limits = Limits { bytes: 2500, ..LIMITS };
            assert_eq!(fixture.insert(pool, 1000, 3000, &limits).stored_out_of_order, 2000);
            let inserted = fixture.insert(pool, 3000, 5000, &limits);
            assert_eq!((inserted.stored_out_of_order, inserted.dropped), (500, 1500));
        });
    }

    #[test]
    fn in_order_data_takes_the_room_of_data_out_of_order_when_the_pool_is_empty() {
        with_pool(4, |pool| {
            let mut fixture = Fixture::new(20_000);
            for segment in 1..8 {
                fixture.insert(pool, segment * 2000, (segment + 1) * 2000, &LIMITS);
            }
            let out_of_order = fixture.queue.ooo_bytes(pool);
            assert!(out_of_order > 0);
            while pool.take().is_some() {}
            let inserted = fixture.insert(pool, 0, 2000, &LIMITS);
            assert!(inserted.advanced >= 2000, "{inserted:?}");
            fixture.read(pool, 2000);
            assert_eq!(fixture.read, fixture.stream[..2000]);
        });
    }

    #[test]
    fn without_any_block_nothing_is_taken_and_nothing_lost() {
        with_pool(0, |pool| {
            let mut fixture = Fixture::new(100);
            assert_eq!(fixture.insert(pool, 0, 100, &LIMITS).dropped, 100);
            assert_eq!(fixture.insert(pool, 50, 100, &LIMITS).dropped, 50);
        });
    }

    #[test]
    fn clearing_gives_all_blocks_back() {
        with_pool(64, |pool| {
            let mut fixture = Fixture::new(30_000);
            fixture.insert(pool, 0, 5000, &LIMITS);
            fixture.insert(pool, 9000, 20_000, &LIMITS);
            fixture.queue.clear(pool);
            assert_eq!((pool.in_use(), fixture.queue.readable(), fixture.queue.blocks()), (0, 0, 0));
        });
    }

    proptest! {
        /// Pieces in any order, overlapping in any way, with reads between and a pool of any size: the stream comes out
        /// once and in order, and afterwards no block is held.
        #[test]
        fn any_pieces_in_any_order_give_the_stream_once(
            pieces in proptest::collection::vec((0_usize..20_000, 1_usize..3000), 1..120),
            reads in proptest::collection::vec(0_usize..4000, 120),
            blocks in 1_usize..40,
            bytes in 0_u32..30_000,
            ranges in 0_u16..12,
        ) {
            with_pool(blocks, |pool| {
                let mut fixture = Fixture::new(23_000);
                let limits = Limits { bytes, ranges, held: 0 };
                for ((start, len), read) in pieces.iter().zip(reads) {
                    fixture.insert(pool, *start, start + len, &limits);
                    assert!(fixture.queue.ooo_bytes(pool) <= bytes);
                    assert_eq!(fixture.queue.blocks(), pool.in_use());
                    fixture.read(pool, read);
                }
                // The peer sends again what was not acknowledged.
                while fixture.read.len() < fixture.stream.len() {
                    let next = fixture.next.since(START) as usize;
                    fixture.insert(pool, next, (next + 1460).min(23_000), &limits);
                    fixture.read(pool, 4000);
                }
                assert_eq!(fixture.read, fixture.stream);
                assert_eq!(pool.in_use(), 0);
            });
        }

        /// Tiny pieces shuffled: the block-joining paths.
        #[test]
        fn scraps_in_any_order_give_the_stream_once(
            order in Just((0_usize..300).collect::<Vec<_>>()).prop_shuffle(), width in 1_usize..40,
        ) {
            with_pool(400, |pool| {
                let mut fixture = Fixture::new(300 * width);
                let limits = Limits { ranges: 400, ..LIMITS };
                for piece in order {
                    let inserted = fixture.insert(pool, piece * width, (piece + 1) * width, &limits);
                    assert_eq!(inserted.dropped, 0);
                }
                fixture.read(pool, 20_000);
                assert_eq!(fixture.read, fixture.stream);
                assert_eq!(pool.in_use(), 0);
            });
        }
    }
}
