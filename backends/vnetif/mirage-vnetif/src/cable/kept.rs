//! Frames that the receiver has not given back yet.

use mirage_net::{FrameId, FrameSet};

/// Frames that are kept, and buffers to be exchanged for those of others.
pub(super) struct Kept {
    /// By their numbers. What is not kept holds a spare buffer, or none yet.
    frames: Box<[Frame; FrameId::COUNT]>,
    /// The numbers that are free.
    free: FrameSet,
}

#[derive(Default)]
struct Frame {
    buffer: Box<[u8]>,
    len: usize,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self { frames: Box::new(core::array::from_fn(|_| Frame::default())), free: FrameSet::ALL }
    }

    /// The number the next frame could have: the lowest, so that buffers are used again while they are near the processor.
    #[inline(always)]
    pub(super) const fn offer(&self) -> Option<FrameId> {
        self.free.first()
    }

    /// Keeps `buffer`, whose first `len` bytes are a frame, under an [offered](Self::offer) number, and leaves another one.
    #[inline]
    pub(super) fn keep(&mut self, number: FrameId, buffer: &mut Box<[u8]>, len: usize) {
        let frame = &mut self.frames[usize::from(number.number())];
        if frame.buffer.is_empty() {
            frame.buffer = another(buffer);
        }
        core::mem::swap(&mut frame.buffer, buffer);
        frame.len = len;
        self.free.remove(number);
    }

    /// The bytes of a frame that is kept; none for another number.
    #[inline]
    pub(super) fn bytes(&self, number: FrameId) -> &[u8] {
        let frame = &self.frames[usize::from(number.number())];
        if self.free.contains(number) { &[] } else { frame.buffer.get(..frame.len).unwrap_or_default() }
    }

    #[inline]
    pub(super) const fn release(&mut self, frames: FrameSet) {
        self.free = self.free.with(frames);
    }
}

/// A buffer as large as `buffer`.
#[cold]
fn another(buffer: &[u8]) -> Box<[u8]> {
    vec![0; buffer.len()].into()
}
