//! Bytes without end that anybody can make again: see the README for their definition.

use alloc::boxed::Box;
use alloc::vec;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 65_536;
/// Odd, so that 65,536 blocks pass before one comes again.
const TURN: u64 = 25_717;

/// The table of the stream, twice in a row: every block, wherever it begins in the ring, is one slice.
pub(crate) struct Bytes(Box<[u8]>);

impl Bytes {
    pub(crate) fn new() -> Self {
        let mut ring = vec![0; 2 * BLOCK];
        for (place, word) in ring.as_chunks_mut().0.iter_mut().zip((0..BLOCK as u64 / 8).cycle()) {
            *place = split_mix(word + 1).to_le_bytes();
        }
        Self(ring.into())
    }

    /// Block `number` of the stream.
    pub(crate) fn block(&self, number: u64) -> &[u8] {
        let start = number.wrapping_mul(TURN) as usize % BLOCK;
        &self.0[start..start + BLOCK]
    }
}

/// The `n`-th output, from 1, of SplitMix64 with seed 0 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, 2014).
fn split_mix(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_that_of_splitmix64_with_seed_0() {
        assert_eq!(Bytes::new().block(0)[..8], 0xe220_a839_7b1d_cdaf_u64.to_le_bytes());
    }

    #[test]
    fn blocks_are_turns_of_the_same_ring_and_come_again_after_4_gib() {
        let bytes = Bytes::new();
        assert_eq!(bytes.block(0)[TURN as usize..][..100], bytes.block(1)[..100]);
        assert_ne!(bytes.block(0), bytes.block(1));
        assert_eq!(bytes.block(5), bytes.block(5 + 65_536));
        assert_eq!(bytes.block(u64::MAX).len(), BLOCK);
    }
}
