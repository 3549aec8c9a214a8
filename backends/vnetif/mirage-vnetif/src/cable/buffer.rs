//! A slot's bytes.

use zerocopy::{FromZeros, KnownLayout};

/// Space for a frame, laid so that the payload of a TCP segment with timestamps over IPv4 begins a line of the cache: where it
/// does not, each second vector that is copied there goes to two lines.
pub(super) struct Buffer(Box<Lines>);

#[derive(FromZeros, KnownLayout)]
#[repr(C, align(64))]
struct Lines {
    /// The payload begins behind 66 bytes of headers.
    before: [u8; 62],
    frame: [u8],
}

impl Buffer {
    /// Zeroes for a frame of `size` bytes.
    pub(super) fn new(size: usize) -> Self {
        Self(Lines::new_box_zeroed_with_elems(size).expect("there is memory for a frame"))
    }

    #[inline(always)]
    pub(super) fn frame_mut(&mut self) -> &mut [u8] {
        &mut self.0.frame
    }
}

impl AsRef<[u8]> for Buffer {
    #[inline(always)]
    fn as_ref(&self) -> &[u8] {
        &self.0.frame
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut clone = Self::new(self.0.frame.len());
        clone.0.frame.copy_from_slice(&self.0.frame);
        clone
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_begins_a_line() {
        for size in [0, 1, 60, 1514, 65_535] {
            let buffer = Buffer::new(size);
            assert_eq!(buffer.as_ref().len(), size);
            assert_eq!((buffer.as_ref().as_ptr().addr() + 66) % 64, 0);
        }
    }
}
