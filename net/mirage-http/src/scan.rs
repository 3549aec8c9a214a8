//! Where in a head something ends: eight bytes are looked at at a time.

/// Where the token ends that begins at `at`: letters are passed eight at a time while there are so many.
#[inline(never)]
pub(crate) fn token(bytes: &[u8], mut at: usize) -> usize {
    let is_token = |byte: &u8| TOKEN.get(usize::from(byte >> 5)).is_some_and(|bits| bits >> (byte & 31) & 1 == 1);
    loop {
        if let Some(word) = word(bytes, at) {
            let letters = word | (ONES * 0x20);
            at += first(below(letters, b'a') | letters.wrapping_add(ONES * u64::from(0x7f - b'z')) | word);
        }
        if !bytes.get(at).is_some_and(is_token) {
            return at;
        }
        at += 1;
    }
}

/// The first byte from `at` on that is below `least` or DEL: eight are looked at at a time while there are so many.
#[inline(never)]
pub(crate) fn visible(bytes: &[u8], mut at: usize, least: u8) -> usize {
    while let Some(word) = word(bytes, at) {
        let good = first(below(word, least) | below(word ^ (ONES * 0x7f), 1));
        at += good;
        if good < 8 {
            return at;
        }
    }
    while bytes.get(at).is_some_and(|byte| *byte >= least && *byte != 0x7f) {
        at += 1;
    }
    at
}

/// Where the value of a field ends that begins at `at` (RFC 9110 §5.5): visible bytes, spaces and tabs.
pub(crate) fn text(bytes: &[u8], at: usize) -> usize {
    let mut end = visible(bytes, at, b' ');
    while bytes.get(end) == Some(&b'\t') {
        end = visible(bytes, end + 1, b' ');
    }
    end
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// The eight bytes at `at`, the first of them lowest.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Sets the highest bit of the lowest byte of `word` that is below `least`, which is at most 128. Of those above it, and of
/// the other bits, nothing is said: the difference borrows.
#[inline]
fn below(word: u64, least: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(least)) & !word
}

/// The lowest byte whose highest bit is set; 8 for none.
#[inline]
fn first(word: u64) -> usize {
    (word & ONES << 7).trailing_zeros() as usize / 8
}

/// A bit for each byte that tokens may have.
const TOKEN: [u32; 8] = {
    let (mut bits, mut byte) = ([0; 8], 0_u8);
    loop {
        if is_token(byte) {
            bits[(byte >> 5) as usize] |= 1 << (byte & 31);
        }
        if byte == u8::MAX {
            break bits;
        }
        byte += 1;
    }
};

/// RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}
