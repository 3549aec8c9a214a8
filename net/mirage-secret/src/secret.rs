//! A key, and what follows from it.

use core::fmt;

use core::hash::Hasher as _;

use siphasher::sip::SipHasher24;
use siphasher::sip128::{self, Hasher128 as _};

/// Sixteen bytes that nobody outside knows, drawn at boot.
#[derive(Clone, Copy)]
pub struct Secret([u8; 16]);

impl Secret {
    /// From unpredictable bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// SipHash-2-4 of `bytes`: who does not know the secret can neither foresee it nor learn anything from it.
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.hash_twice(bytes).0
    }

    /// Two such numbers, of which one tells nothing of the other, for little more than the work of one: the halves of the
    /// 128 bits that SipHash-2-4 can give.
    // Never inlined: an image holds it once for all its machines.
    #[inline(never)]
    pub fn hash_twice(&self, bytes: &[u8]) -> (u64, u64) {
        let hash = sip128::SipHasher24::new_with_key(&self.0).hash(bytes);
        (hash.h1, hash.h2)
    }

    /// The same of the bytes of three numbers, as they lie in memory: faster.
    #[inline(never)]
    pub fn hash_words_twice(&self, words: [u32; 3]) -> (u64, u64) {
        let key = u128::from_le_bytes(self.0);
        let mut hasher = sip128::SipHasher24::new_with_keys(key as u64, (key >> 64) as u64);
        words.into_iter().for_each(|word| hasher.write_u32(word));
        let hash = hasher.finish128();
        (hash.h1, hash.h2)
    }

    /// The SipHash-2-4 of 64 bits, for those who must agree with others on it. It is no half of what
    /// [`hash_twice`](Self::hash_twice) gives.
    #[inline(never)]
    pub fn short_hash(&self, bytes: &[u8]) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;

    const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    #[test]
    fn the_short_hash_is_the_one_of_the_paper() {
        // Appendix A of "SipHash: a fast short-input PRF": this key and input give this output.
        let input: [u8; 15] = core::array::from_fn(|index| index as u8);
        assert_eq!(Secret::new(KEY).short_hash(&input), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn both_halves_are_those_of_the_reference() {
        // The same key and, as input, its first bytes: none, and twelve.
        let secret = Secret::new(KEY);
        assert_eq!(secret.hash_twice(&[]), (0xe6a8_25ba_047f_81a3, 0x9302_55c7_1472_f66d));
        let (one, other) = (0x58f3_5e90_66b2_26d6, 0x25c1_3285_f64d_6382);
        assert_eq!(secret.hash_twice(&KEY[..12]), (one, other));
        assert_eq!(secret.hash(&KEY[..12]), one);
        let word = |at: usize| u32::from_ne_bytes(core::array::from_fn(|byte| KEY[at + byte]));
        assert_eq!(secret.hash_words_twice([word(0), word(4), word(8)]), (one, other));
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert_eq!(alloc::format!("{:?}", Secret::new([0xab; 16])), "Secret(..)");
    }
}
