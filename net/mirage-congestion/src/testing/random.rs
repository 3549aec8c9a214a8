//! Numbers that look random and are the same each time.

/// An xorshift generator (Marsaglia 2003) whose output is multiplied.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// True `chances` times in a million.
    pub(super) fn happens(&mut self, chances: u32) -> bool {
        (self.next() >> 32) * 1_000_000 < u64::from(chances) << 32
    }
}
