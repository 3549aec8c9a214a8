//! The twin with the AVX2 registers of 32 bytes.

use core::arch::x86_64::{
    __m256i, _mm_add_epi64, _mm_cvtsi128_si64, _mm_extract_epi64, _mm256_add_epi32, _mm256_add_epi64, _mm256_and_si256,
    _mm256_castsi256_si128, _mm256_cvtepi32_epi64, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_set1_epi16, _mm256_setzero_si256, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::words::{self, add_around, tail};

/// Bytes in a register.
const WIDTH: usize = 32;

/// The sum of little-endian 16-bit words, side by side; the last is filled with a zero byte. At most 512 KiB.
#[target_feature(enable = "avx2")]
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
#[target_feature(enable = "avx2")]
pub(super) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u64 {
    // One length for both, for the compiler to know.
    let Some(destination) = destination.get_mut(..source.len()) else { return 0 };
    let (vectors, last) = source.as_chunks::<WIDTH>();
    let (eights, rest) = vectors.as_chunks::<8>();
    let (spaces, space) = destination.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<8>();
    let (mut one, mut two) = (Lanes::zero(), Lanes::zero());
    for ([to_a, to_b, to_c, to_d, to_e, to_f, to_g, to_h], [a, b, c, d, e, f, g, h]) in spaces.iter_mut().zip(eights) {
        one.add(copy(to_a, a));
        two.add(copy(to_b, b));
        one.add(copy(to_c, c));
        two.add(copy(to_d, d));
        one.add(copy(to_e, e));
        two.add(copy(to_f, f));
        one.add(copy(to_g, g));
        two.add(copy(to_h, h));
    }
    // No loop over those that are left: the compiler would make a call of memcpy of it.
    let ((four, rest), (to_four, space)) = (rest.as_chunks::<4>(), space.as_chunks_mut::<4>());
    if let ([[a, b, c, d]], [[to_a, to_b, to_c, to_d]]) = (four, to_four) {
        one.add(copy(to_a, a));
        two.add(copy(to_b, b));
        one.add(copy(to_c, c));
        two.add(copy(to_d, d));
    }
    let ((pair, single), (to_pair, to_single)) = (rest.as_chunks::<2>(), space.as_chunks_mut::<2>());
    if let ([[a, b]], [[to_a, to_b]]) = (pair, to_pair) {
        one.add(copy(to_a, a));
        two.add(copy(to_b, b));
    }
    if let ([a], [to_a]) = (single, to_single) {
        one.add(copy(to_a, a));
    }
    let summed = vectors.len() * WIDTH;
    if last.len().is_multiple_of(2)
        && let (Some(to), Some(from)) = (destination.last_chunk_mut(), source.last_chunk())
    {
        // Of these bytes the first are there already, and masked out.
        two.add(_mm256_and_si256(copy(to, from), last_of(last.len())));
        return one.total(two, summed + WIDTH);
    }
    add_around(
        one.total(two, summed),
        words::copy(destination.get_mut(summed..).unwrap_or_default(), source.get(summed..).unwrap_or_default()),
    )
}

/// Copies `source`. Both slices have the same length.
#[target_feature(enable = "avx2")]
pub(super) fn copy_all(destination: &mut [u8], source: &[u8]) {
    // One length for both, for the compiler to know.
    let Some(destination) = destination.get_mut(..source.len()) else { return };
    let (fours, rest) = source.as_chunks::<WIDTH>().0.as_chunks::<4>();
    let (spaces, space) = destination.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<4>();
    for (to, from) in spaces.iter_mut().zip(fours) {
        copy_each(to, from);
    }
    // No loop here either.
    let ((pair, single), (to_pair, to_single)) = (rest.as_chunks::<2>(), space.as_chunks_mut::<2>());
    if let ([pair], [to]) = (pair, to_pair) {
        copy_each(to, pair);
    }
    if let ([single], [to]) = (single, to_single) {
        copy(to, single);
    }
    match (destination.last_chunk_mut(), source.last_chunk()) {
        // Of these bytes the first are there already.
        (Some(to), Some(from)) => _ = copy(to, from),
        _ => destination.copy_from_slice(source),
    }
}

/// Copies some vectors: all are read before the first is written.
#[inline]
#[target_feature(enable = "avx2")]
fn copy_each<const COUNT: usize>(to: &mut [[u8; WIDTH]; COUNT], from: &[[u8; WIDTH]; COUNT]) {
    let vectors = from.each_ref().map(
        #[inline(always)]
        |from| load(from),
    );
    for (to, vector) in to.iter_mut().zip(vectors) {
        store(to, vector);
    }
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
        let lanes = _mm256_add_epi32(self.0, other.0);
        let low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(lanes));
        let pairs = _mm256_add_epi64(low, _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(lanes)));
        let pair = _mm_add_epi64(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256::<1>(pairs));
        let total = _mm_cvtsi128_si64(pair) + _mm_extract_epi64::<1>(pair);
        ((words << 15) + total) as u64
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
    store(to, vector);
    vector
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(to: &mut [u8; WIDTH], vector: __m256i) {
    // SAFETY: the reference covers the 32 bytes that are written, alone, and this store needs no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), vector) };
}

/// All ones in the last `count` bytes, at most 32.
#[inline]
#[target_feature(enable = "avx2")]
fn last_of(count: usize) -> __m256i {
    const ONES: [u8; 2 * WIDTH] = {
        let mut ones = [0; 2 * WIDTH];
        let mut at = WIDTH;
        while at < 2 * WIDTH {
            ones[at] = 0xff;
            at += 1;
        }
        ones
    };
    match ONES.get(count..).and_then(|ones| ones.first_chunk()) {
        Some(ones) => load(ones),
        None => _mm256_setzero_si256(),
    }
}
