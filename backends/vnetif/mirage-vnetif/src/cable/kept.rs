//! Frames that the receiver has not given back yet.

use alloc::vec::Vec;

use mirage_net::{FrameId, FrameSet};

use super::ring::Ring;

/// The buffers of kept frames.
pub(super) struct Kept {
    /// By their numbers; made with the first that is kept.
    frames: Vec<Frame>,
    /// The numbers that are free.
    free: FrameSet,
}

#[derive(Default)]
struct Frame {
    buffer: Box<[u8]>,
    len: usize,
}

impl Kept {
    pub(super) const NONE: Self = Self { frames: Vec::new(), free: FrameSet::ALL };

    /// The number the next frame could have.
    #[inline(always)]
    pub(super) const fn offer(&self) -> Option<FrameId> {
        self.free.first()
    }

    /// Takes the frame of `len` bytes out of `buffer`, and keeps it under an [offered](Self::offer) number.
    #[inline]
    pub(super) fn keep(&mut self, frame: FrameId, buffer: &mut Box<[u8]>, len: usize) {
        if self.frames.is_empty() {
            self.frames.resize_with(FrameId::COUNT, Frame::default);
        }
        if let Some(place) = self.frames.get_mut(usize::from(frame.number())) {
            self.free.remove(frame);
            core::mem::swap(&mut place.buffer, buffer);
            place.len = len;
        }
    }

    #[inline]
    pub(super) fn bytes(&self, frame: FrameId) -> &[u8] {
        self.frames.get(usize::from(frame.number())).and_then(|kept| kept.buffer.get(..kept.len)).unwrap_or_default()
    }

    /// The buffers go back to the ring.
    pub(super) fn release(&mut self, frames: FrameSet, ring: &Ring) {
        for frame in frames.without(self.free) {
            if let Some(kept) = self.frames.get_mut(usize::from(frame.number())) {
                self.free.insert(frame);
                ring.give_back(core::mem::take(kept).buffer);
            }
        }
    }
}
