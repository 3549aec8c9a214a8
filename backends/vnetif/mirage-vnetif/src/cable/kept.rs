//! Frames that the receiver has not given back yet.

use alloc::vec::Vec;

use mirage_net::{FrameId, FrameSet};

/// The buffers of kept frames.
pub(super) struct Kept {
    /// By their numbers; made with the first that is kept.
    frames: Vec<Frame>,
    /// The numbers that are free.
    free: FrameSet,
    /// Buffers that were given back. The last that came is used first, while it is near the processor.
    spare: Vec<Box<[u8]>>,
}

#[derive(Default)]
struct Frame {
    buffer: Box<[u8]>,
    len: usize,
}

impl Kept {
    pub(super) const NONE: Self = Self { frames: Vec::new(), free: FrameSet::ALL, spare: Vec::new() };

    /// The number the next frame could have.
    #[inline(always)]
    pub(super) const fn offer(&self) -> Option<FrameId> {
        self.free.first()
    }

    /// Keeps `buffer`, whose first `len` bytes are a frame, under an [offered](Self::offer) number, and leaves another one.
    #[inline]
    pub(super) fn keep(&mut self, frame: FrameId, buffer: &mut Box<[u8]>, len: usize) {
        if self.frames.is_empty() {
            self.frames.resize_with(FrameId::COUNT, Frame::default);
        }
        if let Some(place) = self.frames.get_mut(usize::from(frame.number())) {
            self.free.remove(frame);
            let spare = self.spare.pop().unwrap_or_else(|| vec![0; buffer.len()].into());
            *place = Frame { buffer: core::mem::replace(buffer, spare), len };
        }
    }

    #[inline]
    pub(super) fn bytes(&self, frame: FrameId) -> &[u8] {
        self.frames.get(usize::from(frame.number())).and_then(|kept| kept.buffer.get(..kept.len)).unwrap_or_default()
    }

    pub(super) fn release(&mut self, frames: FrameSet) {
        for frame in frames.without(self.free) {
            if let Some(kept) = self.frames.get_mut(usize::from(frame.number())) {
                self.free.insert(frame);
                self.spare.push(core::mem::take(kept).buffer);
            }
        }
    }
}
