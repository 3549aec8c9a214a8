//! The only twin where the program is built with `--cfg mirage_checksum="compact"`: no vectors, and one loop for both.

use super::words;

/// The sum of little-endian 16-bit words, side by side; the last is filled with a zero byte.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    words::tail(bytes, 0)
}

/// Copies and sums `source`. Both slices have the same length.
#[inline]
pub(crate) fn copy_and_sum(destination: &mut [u8], source: &[u8]) -> u64 {
    if destination.len() == source.len() {
        destination.copy_from_slice(source);
    }
    sum(source)
}

/// Copies `source`. Both slices have the same length.
#[inline]
pub(crate) fn copy(destination: &mut [u8], source: &[u8]) {
    destination.copy_from_slice(source);
}
