//! The twin with the AVX2 registers of 32 bytes.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi16, _mm256_setzero_si256,
    _mm256_storeu_si256, _mm256_xor_si256,
};

use super::words::{self, add_around, finish};

/// Bytes in a register.
const WIDTH: usize = 32;

/// The sum of big-endian 16-bit words, four side by side; the last is filled with a zero byte. At most 512 KiB.
#[target_feature(enable = "avx2")]
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let (fours, rest) = split(bytes);
    // Two sets of lanes: an addition need not wait for the one before it.
    let (mut one, mut two) = (Lanes::zero(), Lanes::zero());
    for [a, b, c, d] in fours {
        one.add(load(a));
        two.add(load(b));
        one.add(load(c));
        two.add(load(d));
    }
    finish(add_around(one.total(two, fours.len() * 4 * WIDTH), words::sum(rest)))
}

/// Copies and sums `source`. Both slices have the same length, at most 512 KiB.
#[target_feature(enable = "avx2")]
pub(super) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u64 {
    // One length for both, for the compiler to know.
    let Some(destination) = destination.get_mut(..source.len()) else { return 0 };
    let (fours, rest) = split(source);
    let (spaces, space) = destination.as_chunks_mut::<{ 4 * WIDTH }>();
    let spaces = spaces.as_flattened_mut().as_chunks_mut::<WIDTH>().0.as_chunks_mut::<4>().0;
    let (mut one, mut two) = (Lanes::zero(), Lanes::zero());
    for ([to_a, to_b, to_c, to_d], [a, b, c, d]) in spaces.iter_mut().zip(fours) {
        one.add(copy(to_a, a));
        two.add(copy(to_b, b));
        one.add(copy(to_c, c));
        two.add(copy(to_d, d));
    }
    finish(add_around(one.total(two, fours.len() * 4 * WIDTH), words::copy(space, rest)))
}

/// As many times four registers as there are, and the rest.
#[inline]
fn split(bytes: &[u8]) -> (&[[[u8; WIDTH]; 4]], &[u8]) {
    let (fours, rest) = bytes.as_chunks::<{ 4 * WIDTH }>();
    (fours.as_flattened().as_chunks::<WIDTH>().0.as_chunks::<4>().0, rest)
}

/// In each lane of 32 bits the sum of two 16-bit words of each vector, each word less 2¹⁵ so that the multiplication
/// by one that adds them sees a signed number.
///
/// Invariant: no lane overflows. A vector adds at most 2¹⁶, and of 512 KiB at most 2¹⁴ + 2 come to one set.
struct Lanes(__m256i);

impl Lanes {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn zero() -> Self {
        Self(_mm256_setzero_si256())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(&mut self, vector: __m256i) {
        let signed = _mm256_xor_si256(vector, _mm256_set1_epi16(i16::MIN));
        self.0 = _mm256_add_epi32(self.0, _mm256_madd_epi16(signed, _mm256_set1_epi16(1)));
    }

    /// The sum of all words in the `len` bytes of both sets.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn total(self, other: Self, len: usize) -> u64 {
        let words = (len / 2) as i64;
        // Both together fit too: 2¹⁵ times 2¹⁶.
        let lanes = lanes(_mm256_add_epi32(self.0, other.0));
        lanes.into_iter().fold(words << 15, |total, lane| total + i64::from(lane)) as u64
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; WIDTH]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are read, and this load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn copy(to: &mut [u8; WIDTH], from: &[u8; WIDTH]) -> __m256i {
    let vector = load(from);
    // SAFETY: the reference covers the 32 bytes that are written, alone, and this store needs no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), vector) };
    vector
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes(vector: __m256i) -> [i32; 8] {
    let mut lanes = [0; 8];
    // SAFETY: the array covers the 32 bytes that are written, alone, and this store needs no alignment.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), vector) };
    lanes
}
