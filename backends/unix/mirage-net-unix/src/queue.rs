//! Frames that wait to be written: one stretch of memory, filled from the front, free again when all are gone.

use std::collections::VecDeque;
use std::ops::Range;

use mirage_net::FrameWriter;

use mirage_virtio_header as header;

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room until frames have gone.
    Full,
    /// `fill` wrote more than it said.
    Overflowed,
}

#[derive(Debug)]
pub(crate) struct Queue {
    bytes: Box<[u8]>,
    /// Where the next frame begins.
    end: usize,
    /// Invariant: ascending, within `..end`. Never longer than `frames_most`, so it does not grow.
    frames: VecDeque<Range<usize>>,
    frames_most: usize,
}

impl Queue {
    /// A queue of `bytes`, but at least for one frame of `longest`.
    pub(crate) fn new(bytes: usize, longest: usize) -> Self {
        let bytes = bytes.max(longest + header::LEN);
        let frames_most = (bytes / 1_024).max(16);
        Self { bytes: vec![0; bytes].into(), end: 0, frames: VecDeque::with_capacity(frames_most), frames_most }
    }

    /// Whether a frame of `len` bytes has room.
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.frames.len() < self.frames_most && self.bytes.len() - self.end >= len + header::LEN
    }

    /// Queues what `fill` writes, at most `len` bytes, behind the header that `head` makes of it, if there shall be one.
    pub(crate) fn push(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut FrameWriter<'_>),
        head: Option<impl FnOnce(&[u8]) -> [u8; header::LEN]>,
    ) -> Result<(), Refused> {
        if !self.has_room(len) {
            return Err(Refused::Full);
        }
        let start = self.end;
        let at = start + if head.is_some() { header::LEN } else { 0 };
        // In bounds: there is room for `len` and a header.
        let (before, frame) = self.bytes[start..at + len].split_at_mut(at - start);
        let written = FrameWriter::fill(frame, fill).ok_or(Refused::Overflowed)?;
        let end = at + written.len();
        if let Some(head) = head {
            before.copy_from_slice(&head(written));
        }
        self.frames.push_back(start..end);
        self.end = end;
        Ok(())
    }

    /// The oldest frame, with its header.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        self.bytes.get(self.frames.front()?.clone())
    }

    /// Every frame with its header, the oldest first.
    pub(crate) fn frames(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.frames.iter().map(|frame| self.bytes.get(frame.clone()).unwrap_or_default())
    }

    /// The oldest frame is gone.
    pub(crate) fn pop(&mut self) {
        self.settle([true].into_iter());
    }

    /// The oldest frames were tried: of each, in order, whether it is gone. The others stay, the oldest first.
    pub(crate) fn settle(&mut self, gone: impl Iterator<Item = bool>) {
        let mut stay = 0;
        for gone in gone {
            let Some(frame) = self.frames.pop_front() else { break };
            if !gone {
                self.frames.push_back(frame);
                stay += 1;
            }
        }
        self.frames.rotate_right(stay);
        if self.frames.is_empty() {
            self.end = 0;
        }
    }

    /// Every frame is gone.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.end = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Head = fn(&[u8]) -> [u8; header::LEN];
    const PLAIN: Option<Head> = None;

    #[test]
    fn frames_leave_in_order_and_as_they_were_written() {
        let mut queue = Queue::new(100, 20);
        queue.push(20, |frame| frame.put(b"one"), PLAIN).expect("room");
        queue.push(20, |frame| frame.put(b"three"), Some(|bytes: &[u8]| [bytes.len() as u8; 10])).expect("room");
        assert_eq!(queue.first(), Some(&b"one"[..]));
        queue.pop();
        assert_eq!(queue.first(), Some(&b"\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05three"[..]));
        queue.pop();
        assert_eq!(queue.first(), None);
    }

    #[test]
    fn frames_that_were_not_taken_stay_before_those_that_were_not_tried() {
        let mut queue = Queue::new(200, 1);
        for byte in *b"abcdef" {
            queue.push(1, |frame| frame.put(&[byte]), PLAIN).expect("room");
        }
        queue.settle([true, false, true, false].into_iter());
        assert_eq!(queue.frames().collect::<Vec<_>>(), [b"b", b"d", b"e", b"f"]);
        queue.settle([true; 4].into_iter());
        assert!(queue.frames().len() == 0 && queue.has_room(190));
    }

    #[test]
    fn a_full_queue_calls_no_fill_and_has_room_when_all_are_gone() {
        let mut queue = Queue::new(0, 90);
        assert!(queue.has_room(90) && !queue.has_room(91));
        queue.push(50, |frame| frame.put(&[1; 50]), PLAIN).expect("room");
        assert_eq!(queue.push(50, |_| unreachable!(), PLAIN), Err(Refused::Full));
        queue.pop();
        assert!(queue.has_room(90));
    }

    #[test]
    fn an_overflowed_frame_is_not_queued() {
        let mut queue = Queue::new(100, 20);
        assert_eq!(queue.push(4, |frame| frame.put(b"12345"), PLAIN), Err(Refused::Overflowed));
        assert_eq!(queue.first(), None);
    }
}
