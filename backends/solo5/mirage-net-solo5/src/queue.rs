//! The buffer that frames are written into, with room for a few that the host did not take.

use alloc::boxed::Box;
use alloc::vec;

use mirage_net::FrameWriter;

/// Frames that may wait.
pub(crate) const FRAMES: usize = 4;

/// A ring of frames.
#[derive(Debug)]
pub(crate) struct Queue {
    /// `FRAMES` times `longest`.
    bytes: Box<[u8]>,
    longest: usize,
    /// The length of the frame in each place. Invariant: at most `longest`.
    lens: [usize; FRAMES],
    first: usize,
    /// Invariant: at most `FRAMES`.
    count: usize,
}

impl Queue {
    pub(crate) fn new(longest: usize) -> Self {
        Self { bytes: vec![0; longest * FRAMES].into(), longest, lens: [0; FRAMES], first: 0, count: 0 }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.count == FRAMES
    }

    /// Queues what `fill` writes, at most `len` bytes; `None` when it overflowed, or `len` is more than the longest frame,
    /// or the queue is full.
    pub(crate) fn push(&mut self, len: usize, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Option<()> {
        if self.is_full() {
            return None;
        }
        let place = (self.first + self.count) % FRAMES;
        let buffer = self.bytes.chunks_exact_mut(self.longest).nth(place)?.get_mut(..len)?;
        *self.lens.get_mut(place)? = FrameWriter::fill(buffer, fill)?.len();
        self.count += 1;
        Some(())
    }

    /// The oldest frame.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        if self.count == 0 {
            return None;
        }
        self.bytes.chunks_exact(self.longest).nth(self.first)?.get(..*self.lens.get(self.first)?)
    }

    /// The oldest frame is gone.
    pub(crate) fn pop(&mut self) {
        self.first = (self.first + 1) % FRAMES;
        self.count = self.count.saturating_sub(1);
    }

    /// Every frame is gone; says how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        core::mem::take(&mut self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_in_order_and_as_they_were_written_round_and_round() {
        let mut queue = Queue::new(10);
        for round in 0..3 * FRAMES as u8 {
            queue.push(10, |frame| frame.put(&[round, 1, 2])).expect("room");
            queue.push(10, |frame| frame.put(&[round])).expect("room");
            assert_eq!(queue.first(), Some(&[round, 1, 2][..]));
            queue.pop();
            assert_eq!(queue.first(), Some(&[round][..]));
            queue.pop();
            assert_eq!(queue.first(), None);
        }
    }

    #[test]
    fn a_full_queue_calls_no_fill() {
        let mut queue = Queue::new(10);
        for _ in 0..FRAMES {
            assert!(!queue.is_full());
            queue.push(10, |frame| frame.put(b"x")).expect("room");
        }
        assert!(queue.is_full());
        assert_eq!(queue.push(10, |_| unreachable!()), None);
        queue.pop();
        assert!(!queue.is_full());
        assert_eq!(queue.clear(), FRAMES - 1);
        assert_eq!(queue.first(), None);
    }

    #[test]
    fn an_overflowed_frame_is_not_queued() {
        let mut queue = Queue::new(10);
        assert_eq!(queue.push(4, |frame| frame.put(b"12345")), None);
        assert_eq!(queue.push(11, |_| unreachable!()), None);
        assert_eq!(queue.first(), None);
    }
}
