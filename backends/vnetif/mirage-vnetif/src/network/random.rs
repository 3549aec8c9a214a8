//! Chance that repeats itself.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for dice. Nothing to keep a secret with.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Dice number `stream` of those that `seed` names; two streams have nothing in common.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        Self(mixer.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `most`, both possible.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        ((u128::from(self.next()) * (u128::from(most) + 1)) >> 64) as u64
    }

    /// True with this probability. Throws no dice where the answer is certain.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && (self.next() >> 11) as f64 / ((1_u64 << 53) as f64) < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // The first outputs for the seed 1234567 in the reference implementation by S. Vigna.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_are_reached_and_not_crossed() {
        let mut random = Random::new(1, 0);
        let mut seen = [0; 3];
        (0..3000).for_each(|_| seen[random.up_to(2) as usize] += 1);
        assert!(seen.iter().all(|count| (900..1100).contains(count)), "{seen:?}");
        assert!((0..100).all(|_| random.up_to(0) == 0));
        assert!((0..100).all(|_| !random.chance(0.0) && random.chance(1.0)));
    }
}
