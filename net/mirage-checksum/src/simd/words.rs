//! One 64-bit word after the other: what all twins share.
//!
//! Inside, words are little-endian, as the processors are: RFC 1071 §2 (B) has the sum the same in either byte
//! order, but for the order of its own two bytes.

/// Sums `rest`, the end of `whole`, which starts a multiple of 8 bytes after its start.
pub(super) fn tail(whole: &[u8], rest: &[u8]) -> u64 {
    let (words, last) = rest.as_chunks::<8>();
    let total = words.iter().fold(0, |total, word| add_around(total, u64::from_le_bytes(*word)));
    if last.is_empty() {
        return total;
    }
    let last = match whole.last_chunk::<8>() {
        // 1 to 7 bytes are left: the others of these 8 are shifted out.
        Some(end) => u64::from_le_bytes(*end) >> (64 - 8 * last.len()),
        None => last.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    add_around(total, last)
}

/// Adds with end-around carry; zero only for two zeroes.
#[inline]
pub(crate) const fn add_around(one: u64, two: u64) -> u64 {
    let (sum, carry) = one.overflowing_add(two);
    sum + carry as u64
}

/// Folds a sum of little-endian words into one of big-endian words.
#[inline]
pub(super) const fn finish(total: u64) -> u16 {
    fold(total).swap_bytes()
}

/// Folds with end-around carry; zero only for zero.
#[inline]
pub(crate) const fn fold(total: u64) -> u16 {
    // In the upper half both halves add up, with the carry out of the lower half, where the same two add up.
    let total = (total.wrapping_add(total.rotate_right(32)) >> 32) as u32;
    (total.wrapping_add(total.rotate_right(16)) >> 16) as u16
}
