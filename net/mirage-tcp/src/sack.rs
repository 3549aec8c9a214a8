//! Selective acknowledgments in a header (RFC 2018).

use mirage_checksum::SequenceNumber;

use crate::Profile;
use crate::connection::Slot;
use crate::pool::Pool;
use crate::receive_queue::Inserted;
use crate::resources::Resources;

/// Blocks of bytes, each from its first number to the one behind its last: at most as many as fit in a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    blocks: [(SequenceNumber, SequenceNumber); MOST],
    len: u8,
}

impl Blocks {
    pub(crate) const NONE: Self = Self { blocks: [(SequenceNumber(0), SequenceNumber(0)); MOST], len: 0 };

    /// Reads what follows the kind and length of an option.
    pub(crate) fn parse(data: &[u8]) -> Self {
        let mut blocks = Self::NONE;
        let (pairs, rest) = data.as_chunks::<8>();
        if !rest.is_empty() {
            return blocks;
        }
        for pair in pairs {
            let bits = u64::from_be_bytes(*pair);
            blocks.push(SequenceNumber((bits >> 32) as u32), SequenceNumber(bits as u32));
        }
        blocks
    }

    /// Appends a block, if there is room.
    pub(crate) fn push(&mut self, start: SequenceNumber, end: SequenceNumber) {
        if let Some(place) = self.blocks.get_mut(usize::from(self.len)) {
            *place = (start, end);
            self.len += 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[(SequenceNumber, SequenceNumber)] {
        self.blocks.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the first block tells of something that arrived twice, if it does: it lies before `ack`, or inside the second
    /// (RFC 2883 §4). Takes it out.
    pub(crate) fn take_twice(&mut self, ack: SequenceNumber) -> Option<(SequenceNumber, SequenceNumber)> {
        let &(start, end) = self.as_slice().first()?;
        let inside = |&(from, to): &(SequenceNumber, SequenceNumber)| start.at_or_after(from) && end.at_or_before(to);
        let twice = start.before(end) && (end.at_or_before(ack) || self.as_slice().get(1).is_some_and(inside));
        if !twice {
            return None;
        }
        self.blocks.copy_within(1.., 0);
        self.len -= 1;
        Some((start, end))
    }

    /// Keeps what lies between `una` and `nxt`, in order. What is upside down or outside acknowledges nothing.
    pub(crate) fn clean(&mut self, una: SequenceNumber, nxt: SequenceNumber) {
        let flight = nxt.since(una);
        let mut kept = Self::NONE;
        for &(start, end) in self.as_slice() {
            let start = if start.before(una) { una } else { start };
            if start.since(una) < end.since(una) && end.since(una) <= flight {
                kept.push(start, end);
            }
        }
        let len = usize::from(kept.len);
        // Four at most.
        for i in 1..len {
            for j in (1..=i).rev() {
                if kept.blocks[j].0.since(una) < kept.blocks[j - 1].0.since(una) {
                    kept.blocks.swap(j, j - 1);
                }
            }
        }
        *self = kept;
    }
}

/// RFC 2018 §3: what fits into 40 bytes of options.
pub(crate) const MOST: usize = 4;

impl<P: Profile> Slot<P> {
    /// `payload`, from `seq` on, has come: notes what the next acknowledgements tell of it.
    pub(crate) fn note_arrival(
        &mut self,
        resources: &mut Resources<'_>,
        seq: SequenceNumber,
        payload: &[u8],
        inserted: &Inserted,
    ) {
        if inserted.duplicate {
            self.note_twice(seq, seq + payload.len() as u32);
        }
        if !self.receive.has_holes() || inserted.advanced > 0 {
            return;
        }
        // A place for each run: those that have become one with the newest give theirs up.
        let run =
            self.receive.ooo_ranges(&resources.pool).find(|(start, end)| seq.in_window(*start, end.since(*start)));
        let Some((start, end)) = run else { return };
        let Some(behind) = self.receive.behind_mut(&mut resources.pool) else { return };
        let mut kept = [self.rcv_nxt.0; 3];
        kept[0] = seq.0;
        let others =
            behind.latest.into_iter().filter(|other| !SequenceNumber(*other).in_window(start, end.since(start)));
        for (place, other) in kept.iter_mut().skip(1).zip(others) {
            *place = other;
        }
        behind.latest = kept;
    }

    /// The bytes from `start` to `end` came a second time.
    pub(crate) fn note_twice(&mut self, start: SequenceNumber, end: SequenceNumber) {
        if P::SELECTIVE && self.selective() && start.before(end) {
            // No segment is longer; and what is told is true of a part, too.
            (self.twice, self.twice_len) = (start, end.since(start).min(0xffff) as u16);
        }
    }

    /// Whether the next acknowledgement tells of something that came twice.
    #[inline]
    pub(crate) fn has_twice(&self) -> bool {
        self.twice_len != 0
    }

    /// How many bytes of options the next acknowledgement has for this.
    #[inline]
    pub(crate) fn sack_space(&self) -> u32 {
        if !self.receive.has_holes() && !self.has_twice() {
            return 0;
        }
        let ranges = self.receive.ooo_range_count() + u32::from(self.has_twice());
        match ranges.min(self.most_blocks()) {
            0 => 0,
            blocks => 4 + 8 * blocks,
        }
    }

    fn most_blocks(&self) -> u32 {
        let most = if self.stamps.is_on() { 3 } else { MOST as u32 };
        // The counters of marked bytes need a place, too.
        most - u32::from(self.tells_bytes())
    }

    /// What the next acknowledgement tells: what came twice, then the runs behind holes, that of the newest arrival first
    /// (RFC 2018 §4).
    #[inline(never)]
    pub(crate) fn selective_blocks(&self, pool: &Pool<'_>) -> Blocks {
        let mut blocks = Blocks::NONE;
        let most = self.most_blocks() as u8;
        if self.has_twice() {
            blocks.push(self.twice, self.twice + u32::from(self.twice_len));
        }
        let first = usize::from(blocks.len);
        let told = |blocks: &Blocks, start| blocks.as_slice().iter().skip(first).any(|(other, _)| *other == start);
        for number in self.receive.behind(pool).latest.map(SequenceNumber) {
            let run = self.receive.ooo_ranges(pool).find(|(start, end)| number.in_window(*start, end.since(*start)));
            if let Some((start, end)) = run
                && blocks.len < most
                && !told(&blocks, start)
            {
                blocks.push(start, end);
            }
        }
        for (start, end) in self.receive.ooo_ranges(pool) {
            if blocks.len >= most {
                break;
            }
            if !told(&blocks, start) {
                blocks.push(start, end);
            }
        }
        blocks
    }
}
