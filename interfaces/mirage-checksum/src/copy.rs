//! Copying, and summing in the same pass.

use crate::{Sum, simd};

/// Copies `source` to the start of `destination` and sums what it copies, in one pass over the memory.
///
/// If the slices differ in length, the shorter governs: neither more is copied nor summed.
///
/// ```
/// let mut buffer = [0; 4];
/// let sum = mirage_checksum::copy_and_sum(&mut buffer, b"Rust");
/// assert_eq!(&buffer, b"Rust");
/// assert_eq!(sum.finish(), mirage_checksum::checksum(b"Rust"));
/// ```
// Where the lengths are known to be the same nothing is left of it but the choice between the twins.
#[cfg_attr(mirage_checksum = "compact", inline)]
#[cfg_attr(not(mirage_checksum = "compact"), inline(always))]
pub fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> Sum {
    let len = destination.len().min(source.len());
    // The ranges are in bounds: `len` is the smaller of both.
    Sum::of_words(simd::copy_and_sum(&mut destination[..len], &source[..len]), len)
}

/// Copies `source` to the start of `destination`, with vectors where it is worth it; if the slices differ in length, the
/// shorter governs. Gives how many bytes that were.
///
/// It is what [`copy_from_slice`](slice::copy_from_slice) is, but never a string instruction: C libraries use those from about
/// two kilobytes on, and on some processors they take twice the time, above all where neither end is aligned, as in frames.
///
/// ```
/// let mut buffer = [0; 4];
/// assert_eq!(mirage_checksum::copy(&mut buffer, b"Rust!"), 4);
/// assert_eq!(&buffer, b"Rust");
/// ```
#[inline]
pub fn copy(destination: &mut [u8], source: &[u8]) -> usize {
    let len = destination.len().min(source.len());
    // The ranges are in bounds: `len` is the smaller of both.
    simd::copy(&mut destination[..len], &source[..len]);
    len
}

/// What [`copy`] does; where there are no more than 16 bytes in the place of the call, which takes longer than they do.
#[inline(always)]
pub fn copy_short(destination: &mut [u8], source: &[u8]) -> usize {
    let len = destination.len().min(source.len());
    if len > 16 {
        return copy(destination, source);
    }
    // The ranges are in bounds: `len` is the smaller of both.
    simd::copy_short(&mut destination[..len], &source[..len]);
    len
}

/// What [`copy_and_sum`] does; where there are less than 8 bytes in the place of the call, which takes longer than they do.
#[inline(always)]
pub fn copy_and_sum_short(destination: &mut [u8], source: &[u8]) -> Sum {
    let len = destination.len().min(source.len());
    if len >= 8 {
        return copy_and_sum(destination, source);
    }
    // The ranges are in bounds: `len` is the smaller of both.
    Sum::of_words(simd::copy_few(&mut destination[..len], &source[..len]), len)
}
