//! Choosing between the twins of x86-64.

use super::{avx2, detect, sse2, words};

/// The lengths for which the vector loops are: below, a plain loop is done before they have started; beyond, their lanes
/// overflow, and no packet is that long.
const VECTORS: core::ops::RangeInclusive<usize> = 128..=512 << 10;

/// The sum of little-endian 16-bit words, side by side; the last is filled with a zero byte.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    if VECTORS.contains(&bytes.len()) { sum_vectors(bytes) } else { words::tail(bytes, 0) }
}

/// Copies and sums `source`. Both slices have the same length.
#[inline]
pub(crate) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u64 {
    if VECTORS.contains(&source.len()) {
        copy_and_sum_vectors(destination, source)
    } else {
        words::copy(destination, source)
    }
}

/// Copies `source`. Both slices have the same length.
#[inline]
pub(crate) fn copy(destination: &mut [u8], source: &[u8]) {
    if source.len() >= WORTH_VECTORS && detect::avx2() {
        copy_vectors(destination, source);
    } else {
        destination.copy_from_slice(source);
    }
}

/// What is shorter a C library copies well.
const WORTH_VECTORS: usize = 512;

#[inline(never)]
fn copy_vectors(destination: &mut [u8], source: &[u8]) {
    // SAFETY: `avx2::copy_all` needs AVX2 and nothing else; whoever calls this has just found it to be there.
    unsafe { avx2::copy_all(destination, source) }
}

#[inline(never)]
fn sum_vectors(bytes: &[u8]) -> u64 {
    if detect::avx2() {
        // SAFETY: `avx2::sum` needs AVX2 and nothing else; it was just found to be there.
        unsafe { avx2::sum(bytes) }
    } else {
        // SAFETY: `sse2::sum` needs SSE2 and nothing else; this file is compiled only where all code may use it.
        unsafe { sse2::sum(bytes) }
    }
}

#[inline(never)]
fn copy_and_sum_vectors(destination: &mut [u8], source: &[u8]) -> u64 {
    if detect::avx2() {
        // SAFETY: `avx2::copy_and_sum` needs AVX2 and nothing else; it was just found to be there.
        unsafe { avx2::copy_and_sum(destination, source) }
    } else {
        copy_and_sum_sse2(destination, source)
    }
}

// By itself, so that what chooses saves no registers.
#[inline(never)]
fn copy_and_sum_sse2(destination: &mut [u8], source: &[u8]) -> u64 {
    // SAFETY: `sse2::copy_and_sum` needs SSE2 and nothing else; this file is compiled only where all code may use it.
    unsafe { sse2::copy_and_sum(destination, source) }
}
