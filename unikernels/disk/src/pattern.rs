//! What a sector holds after it was filled.

/// Fills `buffer` with sectors that tell their number and `seed` in every eight bytes (SplitMix64).
pub(crate) fn fill(buffer: &mut [u8], sector_size: usize, start: u64, seed: u64) {
    for (index, bytes) in buffer.chunks_mut(sector_size).enumerate() {
        let mut state = mix(start.wrapping_add(index as u64)) ^ seed;
        for word in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            word.copy_from_slice(&mix(state).to_le_bytes());
        }
    }
}

const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
