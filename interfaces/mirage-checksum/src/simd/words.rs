//! One 64-bit word after the other: what all twins share.
//!
//! Inside, words are little-endian, as the processors are: RFC 1071 §2 (B) has the sum the same in either byte
//! order, but for the order of its own two bytes.

/// Sums `bytes`.
#[inline(never)]
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let (words, last) = bytes.as_chunks::<8>();
    let total = words.iter().fold(0, |total, word| add_around(total, u64::from_le_bytes(*word)));
    if last.is_empty() {
        return total;
    }
    let last = match bytes.last_chunk::<8>() {
        // 1 to 7 bytes are left: the others of these 8 are shifted out.
        Some(end) => u64::from_le_bytes(*end) >> (64 - 8 * last.len()),
        None => last.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    add_around(total, last)
}

/// Copies `from` to `to`, which is as long, and sums it.
#[inline(never)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) -> u64 {
    // One length for both, for the compiler to know.
    let Some(to) = to.get_mut(..from.len()) else { return 0 };
    // Two words in each turn: of a loop over one the compiler makes a call of memcpy and a second loop that sums.
    let (pairs, rest) = from.as_chunks::<8>().0.as_chunks::<2>();
    let (spaces, space) = to.as_chunks_mut::<8>().0.as_chunks_mut::<2>();
    let mut total = 0;
    for ([space_a, space_b], [a, b]) in spaces.iter_mut().zip(pairs) {
        (*space_a, *space_b) = (*a, *b);
        total = add_around(add_around(total, u64::from_le_bytes(*a)), u64::from_le_bytes(*b));
    }
    if let ([space], [word]) = (space, rest) {
        *space = *word;
        total = add_around(total, u64::from_le_bytes(*word));
    }
    let last = from.len() % 8;
    if last == 0 {
        return total;
    }
    let last = match (to.last_chunk_mut::<8>(), from.last_chunk::<8>()) {
        (Some(space), Some(end)) => {
            // Of these 8 bytes the first are there already, and shifted out.
            *space = *end;
            u64::from_le_bytes(*end) >> (64 - 8 * last)
        }
        // Not inlined: it would become a call of memcpy.
        _ => copy_few(to, from),
    };
    add_around(total, last)
}

/// Copies less than 8 bytes, one by one.
#[cold]
#[inline(never)]
fn copy_few(to: &mut [u8], from: &[u8]) -> u64 {
    to.iter_mut().zip(from).rev().fold(0, |word, (space, &byte)| {
        *space = byte;
        word << 8 | u64::from(byte)
    })
}

/// Adds with end-around carry; zero only for two zeroes.
#[inline]
pub(crate) const fn add_around(one: u64, two: u64) -> u64 {
    let (sum, carry) = one.overflowing_add(two);
    sum + carry as u64
}

/// Makes a sum of big-endian words, side by side, of one of little-endian words.
#[inline]
pub(super) const fn finish(total: u64) -> u64 {
    total.swap_bytes()
}

/// Folds with end-around carry; zero only for zero.
#[inline]
pub(crate) const fn fold(total: u64) -> u16 {
    // In the upper half both halves add up, with the carry out of the lower half, where the same two add up.
    let total = (total.wrapping_add(total.rotate_right(32)) >> 32) as u32;
    (total.wrapping_add(total.rotate_right(16)) >> 16) as u16
}
