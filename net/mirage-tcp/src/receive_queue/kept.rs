//! Bytes in order that stay in the frames they came in.
//!
//! Their places in the blocks are theirs from the beginning, so that whoever needs the frames copies them there, and nothing
//! else changes by that.

use mirage_checksum::Sum;
use mirage_protocols::Received;

use super::{Copied, LEAST_ROOM, ReceiveQueue};
use crate::kept::{InFrame, Keeper};
use crate::pool::{BLOCK_BYTES, NONE, Pool};

impl ReceiveQueue {
    /// Takes `bytes`, which are next in order, and may stay in their `place` until they are read: they are only summed, where
    /// there is a `sum` to begin with. Whether they are valid; `None` where they cannot stay, and then nothing was done.
    #[inline(always)]
    pub(crate) fn keep_valid(
        &mut self,
        pool: &mut Pool<'_>,
        bytes: &[u8],
        sum: Option<Sum>,
        place: Option<InFrame>,
    ) -> Option<bool> {
        let (place, len) = (place?, bytes.len());
        if (sum.is_some() && len < LEAST_TO_SUM) || !pool.keeping.may_keep() {
            return None;
        }
        let in_tail = match pool.get_mut(self.tail) {
            Some(tail) if tail.has_room(LEAST_ROOM + 1) => {
                if !tail.can_refer() {
                    return None;
                }
                if tail.has_room(len) {
                    if let Some(sum) = sum
                        && !sum.add_bytes(bytes).is_valid()
                    {
                        return Some(false);
                    }
                    tail.refer(place, len, true);
                    pool.keeping.keep(place.frame, self.tail);
                    self.readable += len as u32;
                    return Some(true);
                }
                tail.room()
            }
            _ => 0,
        };
        if let Some(sum) = sum
            && !sum.add_bytes(bytes).is_valid()
        {
            return Some(false);
        }
        if in_tail == 0 && len <= BLOCK_BYTES {
            self.keep_behind(pool, len, place).then_some(true)
        } else {
            self.keep_apart(pool, in_tail, len, place).map(|()| true)
        }
    }

    /// The same for `len` bytes that are valid, and begin a block; `false` where they cannot stay.
    #[inline(never)]
    fn keep_behind(&mut self, pool: &mut Pool<'_>, len: usize, place: InFrame) -> bool {
        let Some((index, block)) = pool.take_for_order_here(self.blocks) else { return false };
        block.refer(place, len, true);
        pool.keeping.keep(place.frame, index);
        match pool.get_mut(self.tail) {
            Some(tail) => tail.next = index,
            None => self.head = index,
        }
        self.tail = index;
        self.blocks += 1;
        self.readable += len as u32;
        true
    }

    /// The same for the `payload` of a segment that was offered with its frame.
    #[inline(never)]
    pub(crate) fn keep_offered(
        &mut self,
        pool: &mut Pool<'_>,
        received: &Received<'_>,
        payload: &[u8],
        sum: Option<Sum>,
    ) -> Option<bool> {
        let place = pool.keeping.offered?.behind(received.payload.len() - payload.len());
        self.keep_valid(pool, payload, sum, place)
    }

    /// The same for `len` bytes that are valid, and have no place in one block: `in_tail` go to the last there is.
    #[inline(never)]
    fn keep_apart(&mut self, pool: &mut Pool<'_>, in_tail: usize, len: usize, place: InFrame) -> Option<()> {
        place.behind(len)?;
        let mut copied = Copied { in_tail: 0, first: NONE, last: NONE, blocks: 0 };
        let mut done = in_tail;
        while done < len {
            let Some((index, block)) = pool.take_for_order_here(self.blocks + copied.blocks) else {
                pool.give_chain(copied.first);
                return None;
            };
            let count = (len - done).min(BLOCK_BYTES);
            block.refer(place.further(done), count, done + count == len);
            done += count;
            copied.blocks += 1;
            match pool.get_mut(copied.last) {
                Some(last) => last.next = index,
                None => copied.first = index,
            }
            copied.last = index;
        }
        let mut begins = copied.first;
        if in_tail > 0
            && let Some(tail) = pool.get_mut(self.tail)
        {
            tail.refer(place, in_tail, false);
            begins = self.tail;
        }
        pool.keeping.keep(place.frame, begins);
        self.keep(pool, &copied, len);
        Some(())
    }

    /// Has `take` see what lies in order, as long as some of it lies in frames, piece by piece until it leaves some of one: how many
    /// bytes it took, and whether it left some.
    #[inline]
    pub(super) fn take_each_kept(
        &mut self,
        pool: &mut Pool<'_>,
        device: &dyn Keeper,
        mut take: impl FnMut(&[u8]) -> usize,
    ) -> (usize, bool) {
        let mut taken = 0;
        while pool.get(self.head).is_some_and(|block| !block.is_whole()) {
            let (count, next) = pool.take_pieces(self.head, device, &mut take);
            taken += count;
            self.readable -= count as u32;
            let Some(next) = next else { return (taken, true) };
            self.head = next;
            self.blocks -= 1;
        }
        if self.head == NONE {
            self.tail = NONE;
        }
        (taken, false)
    }
}

/// To sum fewer bytes takes no less time than to copy them on the way: they are waited for either way.
const LEAST_TO_SUM: usize = 4096;

#[cfg(test)]
mod tests {
    extern crate alloc;
    use alloc::vec;
    use alloc::vec::Vec;

    use managed::ManagedSlice;
    use mirage_checksum::SequenceNumber;
    use mirage_net::FrameId;
    use proptest::prelude::*;

    use super::super::Limits;
    use super::*;
    use crate::kept::{Frames, NoFrames, PAUSE};
    use crate::pool::Block;

    const LIMITS: Limits = Limits { bytes: 30_000, ranges: 8, held: 0 };
    const START: SequenceNumber = SequenceNumber(u32::MAX - 5000);
    /// Bytes before the payload in a frame.
    const BEFORE: usize = 54;

    /// A device whose frames are overwritten as soon as they are given back.
    #[derive(Default)]
    struct Device(Vec<Vec<u8>>);

    impl Keeper for Device {
        fn kept(&self, frame: FrameId) -> &[u8] {
            &self.0[usize::from(frame.number())]
        }
    }

    impl Frames for Device {
        fn visit(&self, visit: &mut dyn FnMut(&dyn Keeper)) {
            visit(self);
        }
    }

    struct Fixture {
        next: usize,
        read: usize,
        queue: ReceiveQueue,
        stream: Vec<u8>,
        device: Device,
    }

    impl Fixture {
        fn new() -> Self {
            let stream = (0..200_000).map(|place| (place % 251) as u8).collect();
            Self { next: 0, read: 0, queue: ReceiveQueue::default(), stream, device: Device(vec![Vec::new(); 64]) }
        }

        /// The next `len` bytes come in a frame, if the device has one: whether they stay there.
        fn keep(&mut self, pool: &mut Pool<'_>, len: usize) -> Option<bool> {
            let free = (0..64).filter_map(FrameId::new).find(|frame| !pool.keeping.frames.contains(*frame))?;
            let bytes = self.stream.get(self.next..self.next + len)?;
            self.device.0[usize::from(free.number())] = [&[0xee; BEFORE][..], bytes].concat();
            let place = Some(InFrame { frame: free, offset: BEFORE as u16 });
            let kept = self.queue.keep_valid(pool, bytes, None, place)?;
            self.next += len;
            Some(kept)
        }

        /// Bytes come that have to be copied.
        fn insert(&mut self, pool: &mut Pool<'_>, ahead: usize, len: usize) {
            let (start, rcv_nxt) = (self.next + ahead, START.add(self.next as u32));
            let Some(bytes) = self.stream.get(start..start + len) else { return };
            let inserted = self.queue.insert(pool, rcv_nxt, START.add(start as u32), bytes, &LIMITS);
            self.next += inserted.advanced as usize;
        }

        fn read(&mut self, pool: &mut Pool<'_>, count: usize) -> usize {
            let mut buffer = vec![0; count];
            let count = self.queue.read(pool, &self.device, &mut buffer);
            assert_eq!(buffer[..count], self.stream[self.read..self.read + count]);
            self.read += count;
            count
        }

        /// Reads in place, and leaves the piece unfinished after which `count` bytes would be exceeded.
        fn read_in_place(&mut self, pool: &mut Pool<'_>, count: usize) {
            let (stream, mut at) = (&self.stream, self.read);
            let end = at + count;
            let taken = self.queue.take_each(pool, &self.device, |bytes| {
                let take = bytes.len().min(end - at);
                assert_eq!(bytes[..take], stream[at..at + take]);
                at += take;
                take
            });
            self.read += taken;
            assert_eq!(self.read, at);
        }

        fn read_front(&mut self, pool: &mut Pool<'_>, count: usize) {
            let (stream, at) = (&self.stream, self.read);
            let taken = self.queue.take_front(pool, &self.device, |bytes| {
                let take = bytes.len().min(count);
                assert_eq!(bytes[..take], stream[at..at + take]);
                (take, take)
            });
            self.read += taken.unwrap_or(0);
        }

        /// The device has its frames back, and overwrites them.
        fn fetch(&mut self, pool: &mut Pool<'_>) {
            for frame in pool.fetch(&self.device) {
                self.device.0[usize::from(frame.number())].fill(0xdd);
            }
            assert!(pool.keeping.unread.is_empty() && pool.keeping.frames.is_empty());
        }

        fn check(&self, pool: &Pool<'_>) {
            assert_eq!(self.queue.readable() as usize, self.next - self.read);
            self.queue.check(pool, START.add(self.next as u32));
            // Frames that hold nothing unread are known as such.
            assert!(self.queue.readable() > 0 || pool.keeping.unread.is_empty());
        }
    }

    fn with_pool<R>(blocks: usize, test: impl FnOnce(&mut Pool<'_>) -> R) -> R {
        let mut blocks = vec![Block::default(); blocks];
        test(&mut Pool::new(ManagedSlice::Borrowed(&mut blocks)))
    }

    #[test]
    fn what_stays_in_its_frame_is_seen_there_and_shares_blocks_as_if_copied() {
        with_pool(8, |pool| {
            let mut fixture = Fixture::new();
            assert_eq!(fixture.keep(pool, 1448), Some(true));
            assert_eq!(fixture.keep(pool, 1448), Some(true));
            assert_eq!((fixture.queue.blocks(), fixture.queue.readable()), (1, 2896));
            fixture.read_in_place(pool, 3000);
            assert_eq!(fixture.read, 2896);
            assert!(pool.keeping.unread.is_empty() && pool.in_use() == 0);
        });
    }

    #[test]
    fn what_is_not_read_in_time_is_copied_and_for_a_while_nothing_stays() {
        with_pool(8, |pool| {
            let mut fixture = Fixture::new();
            assert_eq!(fixture.keep(pool, 1448), Some(true));
            fixture.fetch(pool);
            for _ in 1..PAUSE {
                assert_eq!(fixture.keep(pool, 100), None);
            }
            assert_eq!(fixture.keep(pool, 100), Some(true));
            assert_eq!(fixture.read(pool, 2000), 1548);
        });
    }

    #[test]
    fn a_large_frame_lies_in_one_place_and_has_many_in_blocks() {
        with_pool(64, |pool| {
            let mut fixture = Fixture::new();
            assert_eq!(fixture.keep(pool, 60_000), Some(true));
            fixture.read(pool, 10_000);
            fixture.fetch(pool);
            fixture.read(pool, 60_000);
            assert_eq!(fixture.read, 60_000);
            assert_eq!(pool.in_use(), 0);
        });
    }

    #[test]
    fn a_reader_that_panics_has_read_nothing_of_the_block() {
        extern crate std;
        with_pool(8, |pool| {
            let mut fixture = Fixture::new();
            assert_eq!([fixture.keep(pool, 1448), fixture.keep(pool, 1448)], [Some(true); 2]);
            let mut calls = 0;
            let reading = core::panic::AssertUnwindSafe(|| {
                fixture.queue.take_each(pool, &fixture.device, |bytes| {
                    calls += 1;
                    assert!(calls < 2, "on purpose");
                    bytes.len()
                })
            });
            assert!(std::panic::catch_unwind(reading).is_err());
            fixture.fetch(pool);
            fixture.check(pool);
            assert_eq!(fixture.read(pool, 5000), 2896);
        });
    }

    #[test]
    fn what_does_not_fit_the_numbers_of_a_place_is_not_kept() {
        with_pool(64, |pool| {
            let mut fixture = Fixture::new();
            assert_eq!(fixture.keep(pool, 65_535), None);
            assert_eq!((pool.in_use(), fixture.queue.readable()), (0, 0));
        });
    }

    #[test]
    fn bytes_that_are_damaged_leave_nothing_behind() {
        with_pool(8, |pool| {
            let mut queue = ReceiveQueue::default();
            let place = FrameId::new(3).map(|frame| InFrame { frame, offset: 54 });
            let bytes = [7; LEAST_TO_SUM];
            let sum = Sum::ZERO.add_u16(Sum::of(&bytes).finish());
            assert_eq!(queue.keep_valid(pool, &bytes, Some(sum.add_u16(1)), place), Some(false));
            assert!(pool.in_use() == 0 && pool.keeping.frames.is_empty() && queue.readable() == 0);
            assert_eq!(queue.keep_valid(pool, &bytes[1..], Some(sum), place), None, "it is copied");
            assert_eq!(queue.keep_valid(pool, &bytes, Some(sum), place), Some(true));
        });
    }

    #[test]
    fn who_is_not_shown_the_frames_reads_nothing_rather_than_something_else() {
        with_pool(8, |pool| {
            let mut fixture = Fixture::new();
            fixture.insert(pool, 0, 100);
            assert_eq!(fixture.keep(pool, 1448), Some(true));
            let mut buffer = [0; 2000];
            assert_eq!(fixture.queue.read(pool, &NoFrames, &mut buffer), 0);
            assert_eq!(fixture.queue.take_each(pool, &NoFrames, <[u8]>::len), 0);
            fixture.fetch(pool);
            assert_eq!(fixture.queue.read(pool, &NoFrames, &mut buffer), 1548);
        });
    }

    #[test]
    fn a_connection_that_ends_leaves_its_frames() {
        with_pool(16, |pool| {
            let mut fixture = Fixture::new();
            for len in [1448, 8948, 1448] {
                assert_eq!(fixture.keep(pool, len), Some(true));
            }
            fixture.read(pool, 3000);
            fixture.queue.clear(pool);
            assert!(pool.keeping.unread.is_empty() && pool.in_use() == 0);
            fixture.fetch(pool);
        });
    }

    #[derive(Clone, Debug)]
    enum Operation {
        Keep(usize),
        Insert(usize, usize),
        Read(usize),
        ReadInPlace(usize),
        ReadFront(usize),
        Fetch,
        Forget,
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            8 => prop_oneof![Just(1448_usize), 1_usize..3000, 3000_usize..20_000].prop_map(Operation::Keep),
            2 => (0_usize..3000).prop_map(|len| Operation::Insert(0, len)),
            1 => (1_usize..3000, 1_usize..2000).prop_map(|(ahead, len)| Operation::Insert(ahead, len)),
            3 => (0_usize..9000).prop_map(Operation::Read),
            3 => (0_usize..9000).prop_map(Operation::ReadInPlace),
            2 => (0_usize..3000).prop_map(Operation::ReadFront),
            2 => Just(Operation::Fetch),
            1 => Just(Operation::Forget),
        ]
    }

    proptest! {
        /// Bytes stay and are copied, are read in all ways and forgotten, and the device takes its frames back at any time:
        /// the stream comes out once and in order, and nothing is held at the end.
        #[test]
        fn any_mixture_gives_the_stream_once(
            operations in proptest::collection::vec(operation(), 0..60), blocks in 1_usize..40,
        ) {
            with_pool(blocks, |pool| {
                let mut fixture = Fixture::new();
                for operation in operations {
                    pool.keeping.pause = 0;
                    match operation {
                        Operation::Keep(len) if !fixture.queue.has_holes() => drop(fixture.keep(pool, len)),
                        Operation::Keep(_) => {}
                        Operation::Insert(ahead, len) => fixture.insert(pool, ahead, len),
                        Operation::Read(count) => drop(fixture.read(pool, count)),
                        Operation::ReadInPlace(count) => fixture.read_in_place(pool, count),
                        Operation::ReadFront(count) => fixture.read_front(pool, count),
                        Operation::Fetch => fixture.fetch(pool),
                        Operation::Forget => {
                            fixture.queue.forget_readable(pool);
                            fixture.read = fixture.next;
                        }
                    }
                    fixture.check(pool);
                }
                fixture.queue.clear(pool);
                prop_assert!(pool.in_use() == 0 && pool.keeping.unread.is_empty());
                fixture.fetch(pool);
                Ok(())
            })?;
        }
    }
}
