//! The twin for every machine: safe Rust in words of 64 bits, in a form that compilers vectorise.

use super::words::{self, add_around, tail};

/// The sum of little-endian 16-bit words, side by side; the last is filled with a zero byte.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let (chunks, _) = bytes.as_chunks::<64>();
    let mut halves = Halves::default();
    for chunk in chunks {
        halves.add(chunk);
    }
    add_around(halves.total(), tail(bytes, bytes.len() / 64 * 64))
}

/// Copies and sums `source`. Both slices have the same length.
pub(crate) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u64 {
    if source.len() < SHORT {
        return words::copy(destination, source);
    }
    // On a plain machine the library's copy followed by a sum from the cache is as fast as one mixed loop.
    destination.copy_from_slice(source);
    sum(destination)
}

/// Below this many bytes a copy and a sum are one loop.
const SHORT: usize = 128;

/// Eight lanes, each with the wrapping sum of its 64-bit words and the sum of their upper halves: from both follows
/// the sum of the lower halves, so that no step needs a carry.
#[derive(Default)]
struct Halves {
    words: [u64; 8],
    /// Invariant: exact. With up to 2²⁸ words in each lane (2³⁴ bytes in all) the sum over all lanes of both halves
    /// is below 2⁶⁴.
    upper: [u64; 8],
}

impl Halves {
    #[inline]
    fn add(&mut self, chunk: &[u8; 64]) {
        let (words, _) = chunk.as_chunks::<8>();
        for (lane, word) in words.iter().enumerate().take(8) {
            let word = u64::from_le_bytes(*word);
            self.words[lane] = self.words[lane].wrapping_add(word);
            self.upper[lane] = self.upper[lane].wrapping_add(word >> 32);
        }
    }

    #[inline]
    fn total(&self) -> u64 {
        self.words.iter().zip(&self.upper).fold(0, |total, (words, upper)| {
            let lower = words.wrapping_sub(upper << 32);
            total.wrapping_add(lower).wrapping_add(*upper)
        })
    }
}

/// Copies `source`. Both slices have the same length.
#[inline]
pub(crate) fn copy(destination: &mut [u8], source: &[u8]) {
    destination.copy_from_slice(source);
}
