//! Choosing between the twins of x86-64.

use super::{avx2, detect, sse2, words};

/// Below this many bytes a plain loop is done before a vector one has started.
const SHORT: usize = 128;
/// What the twins sum at once, at most.
const LONG: usize = 512 << 10;

/// The folded sum of big-endian 16-bit words; the last is filled with a zero byte.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u16 {
    if bytes.len() < SHORT { words::finish(words::tail(bytes, 0)) } else { sum_long(bytes) }
}

/// Copies and sums `source`. Both slices have the same length.
#[inline]
pub(crate) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u16 {
    if source.len() < SHORT {
        words::finish(words::copy(destination, source, 0))
    } else {
        copy_and_sum_long(destination, source)
    }
}

#[inline(never)]
fn sum_long(bytes: &[u8]) -> u16 {
    if bytes.len() > LONG {
        bytes.chunks(LONG).fold(0, |total, part| words::fold(u64::from(total) + u64::from(sum(part))))
    } else if detect::avx2() {
        // SAFETY: `avx2::sum` needs AVX2 and nothing else; it was just found to be there.
        unsafe { avx2::sum(bytes) }
    } else {
        // SAFETY: `sse2::sum` needs SSE2 and nothing else; this file is compiled only where all code may use it.
        unsafe { sse2::sum(bytes) }
    }
}

#[inline(never)]
fn copy_and_sum_long(destination: &mut [u8], source: &[u8]) -> u16 {
    if source.len() > LONG {
        let parts = destination.chunks_mut(LONG).zip(source.chunks(LONG));
        parts.fold(0, |total, (to, from)| words::fold(u64::from(total) + u64::from(copy_and_sum(to, from))))
    } else if detect::avx2() {
        // SAFETY: `avx2::copy_and_sum` needs AVX2 and nothing else; it was just found to be there.
        unsafe { avx2::copy_and_sum(destination, source) }
    } else {
        // SAFETY: `sse2::copy_and_sum` needs SSE2 and nothing else; this file is compiled only where all code may
        // use it.
        unsafe { sse2::copy_and_sum(destination, source) }
    }
}
