//! Buffers for frames that are kept.

use alloc::boxed::Box;
use alloc::vec;
use core::fmt;
use core::ops::Range;

use crate::{FrameId, FrameSet};

/// What a device needs whose receiver may [keep](crate::Receive::poll_frame_to_keep) frames: a kept frame's buffer is
/// exchanged for another one, so that the device goes on as if nothing had been kept.
///
/// It holds at most [`FrameId::COUNT`] buffers, each made when it is needed for the first time.
pub struct Exchange {
    /// By their numbers. What is not kept holds a spare buffer, or none yet.
    frames: Box<[Kept; FrameId::COUNT]>,
    /// The numbers that are free.
    free: FrameSet,
}

#[derive(Default)]
struct Kept {
    buffer: Box<[u8]>,
    /// Where the frame is in it.
    place: Range<usize>,
}

impl Exchange {
    /// Nothing is kept.
    pub fn new() -> Self {
        Self { frames: Box::new(core::array::from_fn(|_| Kept::default())), free: FrameSet::ALL }
    }

    /// The number the next frame could have; `None` when as many are kept as there can be. It is the lowest that is free, so
    /// that buffers are used again while they are near the processor.
    #[inline(always)]
    pub const fn offer(&self) -> Option<FrameId> {
        self.free.first()
    }

    /// Keeps `buffer`, which holds a frame at `place`, under an [offered](Self::offer) number, and leaves another one that is as
    /// long.
    #[inline]
    pub fn keep(&mut self, number: FrameId, buffer: &mut Box<[u8]>, place: Range<usize>) {
        let kept = &mut self.frames[usize::from(number.number())];
        if kept.buffer.len() != buffer.len() {
            kept.buffer = another(buffer);
        }
        core::mem::swap(&mut kept.buffer, buffer);
        kept.place = place;
        self.free.remove(number);
    }

    /// The bytes of a frame that is kept; none for another number.
    #[inline]
    pub fn kept(&self, number: FrameId) -> &[u8] {
        let kept = &self.frames[usize::from(number.number())];
        if self.free.contains(number) { &[] } else { kept.buffer.get(kept.place.clone()).unwrap_or_default() }
    }

    /// The buffers of `frames` may be used again.
    #[inline]
    pub const fn release(&mut self, frames: FrameSet) {
        self.free = self.free.with(frames);
    }
}

/// A buffer as long as `buffer`.
#[cold]
fn another(buffer: &[u8]) -> Box<[u8]> {
    vec![0; buffer.len()].into()
}

impl Default for Exchange {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("free", &self.free).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_frame_stays_as_it_is_while_its_buffer_is_filled_anew() {
        let mut exchange = Exchange::new();
        let mut buffer: Box<[u8]> = vec![1; 8].into();
        let first = exchange.offer().unwrap();
        exchange.keep(first, &mut buffer, 2..5);
        assert_eq!(buffer.len(), 8);
        buffer.fill(2);
        assert_eq!(exchange.kept(first), [1; 3]);
        let second = exchange.offer().unwrap();
        assert_ne!(first, second);
        exchange.keep(second, &mut buffer, 0..8);
        assert_eq!((exchange.kept(first), exchange.kept(second)), (&[1; 3][..], &[2; 8][..]));
        exchange.release([first].into_iter().collect());
        assert_eq!((exchange.kept(first), exchange.offer()), (&[][..], Some(first)));
        assert_eq!(exchange.kept(second), [2; 8]);
    }

    #[test]
    fn as_many_can_be_kept_as_there_are_numbers() {
        let mut exchange = Exchange::new();
        let mut buffer: Box<[u8]> = vec![0; 4].into();
        for _ in 0..FrameId::COUNT {
            let number = exchange.offer().unwrap();
            exchange.keep(number, &mut buffer, 0..4);
        }
        assert_eq!(exchange.offer(), None);
        exchange.release(FrameSet::ALL);
        assert!(exchange.offer().is_some());
    }
}
