//! Buffers for frames that are kept.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Range;

use crate::{FrameId, FrameSet};

/// What a device needs whose receiver may [keep](crate::Receive::poll_frame_to_keep) frames: a kept frame's buffer is
/// exchanged for another one, so that the device goes on as if nothing had been kept.
///
/// It holds at most [`FrameId::COUNT`] buffers of type `B`, each made as a copy of another when it is needed for the first time.
pub struct Exchange<B = Box<[u8]>> {
    /// By their numbers. What is not kept holds a spare buffer, or one without bytes.
    frames: Box<[Kept<B>; FrameId::COUNT]>,
    /// The numbers that are free.
    free: FrameSet,
}

#[derive(Default)]
struct Kept<B> {
    buffer: B,
    /// Where the frame is in it.
    place: Range<usize>,
}

impl<B: AsRef<[u8]> + Clone + Default> Exchange<B> {
    /// Nothing is kept.
    pub fn new() -> Self {
        Self { frames: Box::new(core::array::from_fn(|_| Kept::default())), free: FrameSet::ALL }
    }

    /// The number the next frame could have; `None` when as many are kept as there can be. It is the lowest that is free, so
    /// that buffers are used again while they are near the processor.
    #[inline(always)]
    pub fn offer(&self) -> Option<FrameId> {
        self.free.first()
    }

    /// Keeps `buffer`, which holds a frame at `place`, under an [offered](Self::offer) number, and leaves another one that is as
    /// long.
    #[inline]
    pub fn keep(&mut self, number: FrameId, buffer: &mut B, place: Range<usize>) {
        let kept = &mut self.frames[usize::from(number.number())];
        if kept.buffer.as_ref().len() != buffer.as_ref().len() {
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
        if self.free.contains(number) { &[] } else { kept.buffer.as_ref().get(kept.place.clone()).unwrap_or_default() }
    }

    /// The buffers of `frames` may be used again.
    #[inline]
    pub fn release(&mut self, frames: FrameSet) {
        self.free = self.free.with(frames);
    }
}

/// A buffer like `buffer`.
#[cold]
fn another<B: Clone>(buffer: &B) -> B {
    buffer.clone()
}

impl<B: AsRef<[u8]> + Clone + Default> Default for Exchange<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> fmt::Debug for Exchange<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("free", &self.free).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_kept_frame_stays_as_it_is_while_its_buffer_is_filled_anew() {
        let mut exchange = Exchange::<Box<[u8]>>::new();
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
        let mut exchange = Exchange::<Box<[u8]>>::new();
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
