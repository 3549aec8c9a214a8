//! Bytes and coins that look random and come out the same each time.

/// A stream of numbers (SplitMix64): the same seed, the same stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise(u64);

impl Noise {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) const fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }
}

/// Fills `buffer` with sectors that differ from each other, and from those of another `seed`, in every eight bytes.
pub(super) fn fill(buffer: &mut [u8], sector_size: usize, start: u64, seed: u64) {
    for (index, bytes) in buffer.chunks_mut(sector_size).enumerate() {
        let sector = start.wrapping_add(index as u64);
        let mut noise = Noise::new(Noise::new(sector).next() ^ seed);
        for word in bytes.chunks_mut(8) {
            word.copy_from_slice(&noise.next().to_le_bytes()[..word.len()]);
        }
    }
}
