//! One 64-bit word after the other: what all twins share.

/// Adds up to 63 (or any number of) bytes one word after the other, in the machine's byte order.
#[inline]
pub(super) fn tail(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut total = words.iter().fold(0, |total, word| add_around(total, u64::from_ne_bytes(*word)));
    let (words, rest) = rest.as_chunks::<2>();
    for word in words {
        total = add_around(total, u16::from_ne_bytes(*word).into());
    }
    if let [last] = rest {
        total = add_around(total, u16::from_ne_bytes([*last, 0]).into());
    }
    total
}

/// Adds with end-around carry; zero only for two zeroes.
#[inline]
pub(super) const fn add_around(one: u64, two: u64) -> u64 {
    let (sum, carry) = one.overflowing_add(two);
    sum + carry as u64
}

/// Folds a sum in the machine's byte order into a sum of big-endian words.
#[inline]
pub(super) const fn finish(total: u64) -> u16 {
    let total = (total & 0xffff_ffff) + (total >> 32);
    let total = (total & 0xffff) + ((total >> 16) & 0xffff) + (total >> 32);
    let total = (total & 0xffff) + (total >> 16);
    let total = (total & 0xffff) + (total >> 16);
    // RFC 1071 §2 (B): the sum is the same in either byte order, but for the order of its own bytes.
    u16::from_be(total as u16)
}

/// The sum of the lower halves of some 64-bit words, from their wrapping sum and the sum of their upper halves. Right for up
/// to 2³² words, whose lower halves add up to less than 2⁶⁴.
#[inline]
pub(super) const fn lower(words: u64, upper: u64) -> u64 {
    words.wrapping_sub(upper << 32)
}
