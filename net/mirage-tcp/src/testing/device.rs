//! A device that keeps frames for its machine.

use alloc::vec;
use alloc::vec::Vec;

use mirage_net::{FrameId, FrameSet};

use crate::{Frames, InFrame, Keeper};

/// It overwrites what was given back, so that nobody reads it unnoticed.
pub(super) struct Device {
    frames: Vec<Vec<u8>>,
    free: FrameSet,
}

impl Device {
    pub(super) fn new() -> Self {
        Self { frames: vec![Vec::new(); FrameId::COUNT], free: FrameSet::ALL }
    }

    /// Where a packet with this payload lies now, if there is room.
    pub(super) fn place(&mut self, payload: &[u8]) -> Option<InFrame> {
        let frame = self.free.first()?;
        self.free.remove(frame);
        self.frames[usize::from(frame.number())] = [&[0xee; HEADERS][..], payload].concat();
        Some(InFrame { frame, offset: HEADERS as u16 })
    }

    pub(super) fn payload(&self, place: InFrame) -> &[u8] {
        &self.kept(place.frame)[HEADERS..]
    }

    pub(super) fn release(&mut self, frames: FrameSet) {
        for frame in frames {
            self.frames[usize::from(frame.number())].fill(0xdd);
        }
        self.free = self.free.with(frames);
    }
}

impl Keeper for Device {
    fn kept(&self, frame: FrameId) -> &[u8] {
        &self.frames[usize::from(frame.number())]
    }
}

impl Frames for Device {
    fn visit(&self, visit: &mut dyn FnMut(&dyn Keeper)) {
        visit(self);
    }
}

/// Bytes before the segment.
const HEADERS: usize = 34;
