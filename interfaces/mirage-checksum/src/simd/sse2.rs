//! The twin with the SSE2 registers of 16 bytes that every x86-64 has.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_loadu_si128, _mm_madd_epi16, _mm_set1_epi16, _mm_setzero_si128, _mm_storeu_si128,
    _mm_xor_si128,
};

use super::words::{self, add_around, tail};

/// Bytes in a register.
const WIDTH: usize = 16;

/// The sum of little-endian 16-bit words, side by side; the last is filled with a zero byte. At most 512 KiB.
#[target_feature(enable = "sse2")]
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let (fours, _) = bytes.as_chunks::<WIDTH>().0.as_chunks::<4>();
    // Two sets of lanes: an addition need not wait for the one before it.
    let (mut one, mut two) = (Lanes::zero(), Lanes::zero());
    for [a, b, c, d] in fours {
        one.add(load(a));
        two.add(load(b));
        one.add(load(c));
        two.add(load(d));
    }
    let summed = fours.len() * 4 * WIDTH;
    add_around(one.total(two, summed), tail(bytes, summed))
}

/// Copies and sums `source`. Both slices have the same length, at most 512 KiB.
#[target_feature(enable = "sse2")]
pub(super) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u64 {
    // One length for both, for the compiler to know.
    let Some(destination) = destination.get_mut(..source.len()) else { return 0 };
    let (fours, _) = source.as_chunks::<WIDTH>().0.as_chunks::<4>();
    let (spaces, _) = destination.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<4>();
    let (mut one, mut two) = (Lanes::zero(), Lanes::zero());
    for ([to_a, to_b, to_c, to_d], [a, b, c, d]) in spaces.iter_mut().zip(fours) {
        one.add(copy(to_a, a));
        two.add(copy(to_b, b));
        one.add(copy(to_c, c));
        two.add(copy(to_d, d));
    }
    let summed = fours.len() * 4 * WIDTH;
    add_around(
        one.total(two, summed),
        words::copy(destination.get_mut(summed..).unwrap_or_default(), source.get(summed..).unwrap_or_default()),
    )
}

/// In each lane of 32 bits the sum of two 16-bit words of each vector, each word less 2¹⁵ so that the multiplication
/// by one that adds them sees a signed number.
///
/// Invariant: no lane overflows. A vector adds at most 2¹⁶, and of 512 KiB at most 2¹⁴ + 2 come to one set.
struct Lanes(__m128i);

impl Lanes {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn zero() -> Self {
        Self(_mm_setzero_si128())
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn add(&mut self, vector: __m128i) {
        let signed = _mm_xor_si128(vector, _mm_set1_epi16(i16::MIN));
        self.0 = _mm_add_epi32(self.0, _mm_madd_epi16(signed, _mm_set1_epi16(1)));
    }

    /// The sum of all words in the `len` bytes of both sets.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn total(self, other: Self, len: usize) -> u64 {
        let words = (len / 2) as i64;
        // Both together fit too: 2¹⁵ times 2¹⁶.
        let lanes = lanes(_mm_add_epi32(self.0, other.0));
        lanes.into_iter().fold(words << 15, |total, lane| total + i64::from(lane)) as u64
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn load(bytes: &[u8; WIDTH]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read, and this load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn copy(to: &mut [u8; WIDTH], from: &[u8; WIDTH]) -> __m128i {
    let vector = load(from);
    // SAFETY: the reference covers the 16 bytes that are written, alone, and this store needs no alignment.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), vector) };
    vector
}

#[inline]
#[target_feature(enable = "sse2")]
fn lanes(vector: __m128i) -> [i32; 4] {
    let mut lanes = [0; 4];
    // SAFETY: the array covers the 16 bytes that are written, alone, and this store needs no alignment.
    unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), vector) };
    lanes
}
