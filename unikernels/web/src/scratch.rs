//! Buffers that requests use while they are answered.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

/// Bytes for a part of a file, or of a body that is hashed.
const BYTES: usize = 16 * 1_024;
/// Buffers that are kept; when more requests than that are answered at once, the others allocate.
const KEPT: usize = 16;

/// Buffers that requests use while they are answered: idle connections hold none, and a buffer that was used just now is
/// still in the processor's cache.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Invariant: at most `KEPT`. Taken out while it is looked at.
    free: Cell<Vec<Vec<u8>>>,
}

impl Scratch {
    /// The buffer that was given back last, or a new one; its content is left over from others.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut free = self.free.take();
        let kept = free.pop();
        self.free.set(free);
        kept.unwrap_or_else(|| vec![0; BYTES])
    }

    /// Keeps the buffer for the next request.
    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        let mut free = self.free.take();
        if free.len() < KEPT {
            free.push(buffer);
        }
        self.free.set(free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_that_was_used_last_is_used_next() {
        let scratch = Scratch::default();
        let (one, other) = (scratch.take(), scratch.take());
        let place = other.as_ptr();
        scratch.give_back(one);
        scratch.give_back(other);
        let again = scratch.take();
        assert_eq!(again.as_ptr(), place);
    }

    #[test]
    fn no_more_buffers_are_kept_than_the_bound() {
        let scratch = Scratch::default();
        let taken: Vec<_> = (0..2 * KEPT).map(|_| scratch.take()).collect();
        taken.into_iter().for_each(|buffer| scratch.give_back(buffer));
        assert_eq!(scratch.free.take().len(), KEPT);
    }
}
