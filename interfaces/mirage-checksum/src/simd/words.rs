//! One 64-bit word after the other: what all twins share.
//!
//! Words are little-endian here, as the processors are: RFC 1071 §2 (B) has the sum the same in either byte order, but
//! for the order of its own two bytes.

/// Sums the end of `bytes`, what lies from `start` on, a multiple of 8.
#[inline(never)]
pub(super) fn tail(bytes: &[u8], start: usize) -> u64 {
    let (words, last) = bytes.get(start..).unwrap_or_default().as_chunks::<8>();
    // Two in each turn: a loop over one is unrolled so far that it starts too slowly for a header.
    let (pairs, single) = words.as_chunks::<2>();
    let mut total = 0_u128;
    for [a, b] in pairs {
        total += u128::from(u64::from_le_bytes(*a)) + u128::from(u64::from_le_bytes(*b));
    }
    if let [word] = single {
        total += u128::from(u64::from_le_bytes(*word));
    }
    if !last.is_empty() {
        total += u128::from(match bytes.last_chunk::<8>() {
            // 1 to 7 bytes are left: the others of these 8 are shifted out.
            Some(end) => u64::from_le_bytes(*end) >> (64 - 8 * last.len()),
            None => few(last),
        });
    }
    add_around(total as u64, (total >> 64) as u64)
}

/// Copies `from` to `to`, which is as long, and sums it.
#[inline(never)]
pub(super) fn copy(to: &mut [u8], from: &[u8]) -> u64 {
    // One length for both, for the compiler to know.
    let Some(to) = to.get_mut(..from.len()) else { return 0 };
    if from.len() < 8 {
        return copy_few(to, from);
    }
    // Four words in each turn: of a loop over one the compiler makes a call of memcpy and a second loop that sums.
    let (fours, rest) = from.as_chunks::<8>().0.as_chunks::<4>();
    let (spaces, space) = to.as_chunks_mut::<8>().0.as_chunks_mut::<4>();
    let mut total = 0;
    for (space, four) in spaces.iter_mut().zip(fours) {
        *space = *four;
        total = add_all(total, four);
    }
    // No loop over those that are left, either.
    let ((pair, single), (to_pair, to_single)) = (rest.as_chunks::<2>(), space.as_chunks_mut::<2>());
    if let ([pair], [space]) = (pair, to_pair) {
        *space = *pair;
        total = add_all(total, pair);
    }
    if let ([single], [space]) = (single, to_single) {
        *space = *single;
        total = add_all(total, &[*single]);
    }
    let last = from.len() % 8;
    if last > 0
        && let (Some(space), Some(end)) = (to.last_chunk_mut::<8>(), from.last_chunk::<8>())
    {
        // Of these 8 bytes the first are there already, and shifted out.
        *space = *end;
        total = add_around(total, u64::from_le_bytes(*end) >> (64 - 8 * last));
    }
    total
}

/// Adds words with end-around carry: one instruction for each, for the carry of one goes into the next.
#[inline(always)]
fn add_all<const COUNT: usize>(mut total: u64, words: &[[u8; 8]; COUNT]) -> u64 {
    let mut carry = false;
    for word in words {
        (total, carry) = total.carrying_add(u64::from_le_bytes(*word), carry);
    }
    // No further carry: a sum with one is not all ones.
    total + u64::from(carry)
}

/// Copies less than 8 bytes; gives them as a word. Both slices have the same length.
#[inline(always)]
pub(crate) fn copy_few(to: &mut [u8], from: &[u8]) -> u64 {
    // Two halves that overlap: what a loop over bytes does the compiler would call memcpy for. What both have in common is the
    // same in both.
    if let (Some(first), Some(last)) = (from.first_chunk::<4>(), from.last_chunk::<4>()) {
        if let Some(space) = to.first_chunk_mut::<4>() {
            *space = *first;
        }
        if let Some(space) = to.last_chunk_mut::<4>() {
            *space = *last;
        }
        let last = u64::from(u32::from_le_bytes(*last));
        u64::from(u32::from_le_bytes(*first)) | last << (8 * (from.len() - 4) % 64)
    } else if let (Some(first), Some(last)) = (from.first_chunk::<2>(), from.last_chunk::<2>()) {
        if let Some(space) = to.first_chunk_mut::<2>() {
            *space = *first;
        }
        if let Some(space) = to.last_chunk_mut::<2>() {
            *space = *last;
        }
        let last = u64::from(u16::from_le_bytes(*last));
        u64::from(u16::from_le_bytes(*first)) | last << (8 * (from.len() - 2) % 64)
    } else if let ([space], [byte]) = (to, from) {
        *space = *byte;
        u64::from(*byte)
    } else {
        0
    }
}

/// Copies at most 16 bytes, in the place of the call. Both slices have the same length.
#[inline(always)]
pub(crate) fn copy_short(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<8>(), from.last_chunk::<8>()) {
        if let Some(space) = to.first_chunk_mut::<8>() {
            *space = *first;
        }
        if let Some(space) = to.last_chunk_mut::<8>() {
            *space = *last;
        }
    } else {
        copy_few(to, from);
    }
}

/// Less than 8 bytes as a word.
#[inline]
fn few(bytes: &[u8]) -> u64 {
    // What both halves have in common is the same in both.
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let last = u64::from(u32::from_le_bytes(*last));
        u64::from(u32::from_le_bytes(*first)) | last << (8 * (bytes.len() - 4) % 64)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        let last = u64::from(u16::from_le_bytes(*last));
        u64::from(u16::from_le_bytes(*first)) | last << (8 * (bytes.len() - 2) % 64)
    } else {
        bytes.first().copied().map_or(0, u64::from)
    }
}

/// Adds with end-around carry; zero only for two zeroes.
#[inline]
pub(crate) const fn add_around(one: u64, two: u64) -> u64 {
    let (sum, carry) = one.overflowing_add(two);
    sum + carry as u64
}

/// Folds with end-around carry; zero only for zero.
#[inline]
pub(crate) const fn fold(total: u64) -> u16 {
    // In the upper half both halves add up, with the carry out of the lower half, where the same two add up.
    let total = (total.wrapping_add(total.rotate_right(32)) >> 32) as u32;
    (total.wrapping_add(total.rotate_right(16)) >> 16) as u16
}
