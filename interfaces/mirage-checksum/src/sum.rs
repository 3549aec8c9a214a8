//! A sum that grows piece by piece.

use core::net::IpAddr;

use crate::simd::{self, add_around, fold};

/// The ones' complement sum of 16-bit words of everything that was added so far (RFC 1071 §1).
///
/// Pieces may have any length: one that ends in the middle of a word is continued by the next, as if both had been
/// one piece. Nothing overflows.
///
/// ```
/// use mirage_checksum::Sum;
/// assert_eq!(Sum::of(b"abcde").finish(), Sum::of(b"abc").add_bytes(b"de").finish());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a sum is a value: adding gives a new one"]
pub struct Sum {
    /// Big-endian words, not yet folded. It is added to with end-around carry, so that a word of 64 bits counts as much as
    /// the words of 16 bits it is made of (RFC 1071 §2 (C)), and nothing overflows.
    total: u64,
    /// Whether an odd number of bytes was added: then the next byte is the second of its word.
    odd: bool,
}

impl Sum {
    /// Nothing added.
    pub const ZERO: Self = Self { total: 0, odd: false };

    /// The sum of `bytes`.
    #[inline]
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_words(simd::sum(bytes), bytes.len())
    }

    /// The sum of a few bytes whose number is known when the program is compiled: a header. There is no loop and no call.
    #[inline(always)]
    pub fn of_array<const LEN: usize>(bytes: &[u8; LEN]) -> Self {
        let (octets, rest) = bytes.as_chunks::<8>();
        let mut total = 0_u128;
        for octet in octets {
            total += u128::from(u64::from_le_bytes(*octet));
        }
        let (quads, rest) = rest.as_chunks::<4>();
        for quad in quads {
            total += u128::from(u32::from_le_bytes(*quad));
        }
        let mut last = 0;
        for byte in rest.iter().rev() {
            last = last << 8 | u64::from(*byte);
        }
        total += u128::from(last);
        Self::of_words(add_around(total as u64, (total >> 64) as u64), LEN)
    }

    /// The sum of `len` bytes whose little-endian words have the sum `words`, side by side.
    #[inline]
    pub(crate) const fn of_words(words: u64, len: usize) -> Self {
        // RFC 1071 §2 (B), as for an odd piece below.
        Self { total: words.rotate_left(8), odd: len % 2 == 1 }
    }

    /// The sum of `len` bytes of which only [`partial`](Self::partial) was kept.
    #[inline]
    pub const fn from_partial(words: u16, len: usize) -> Self {
        Self { total: words as u64, odd: len % 2 == 1 }
    }

    /// Adds the bytes that follow. They are 16-bit big-endian words; the last is filled with a zero byte if need be
    /// and completed by the first byte of the next piece.
    #[inline]
    pub fn add_bytes(self, bytes: &[u8]) -> Self {
        self.add_sum(Self::of(bytes))
    }

    /// Adds the sum of the bytes that follow, which somebody else made: for example
    /// [`copy_and_sum`](crate::copy_and_sum).
    #[inline]
    pub fn add_sum(self, next: Self) -> Self {
        self.add_words(next.total, next.odd)
    }

    /// Adds two bytes, as they lie on the wire when `word` is stored in network byte order.
    #[inline]
    pub const fn add_u16(self, word: u16) -> Self {
        self.add_words(word as u64, false)
    }

    /// Adds four bytes, as they lie on the wire when `word` is stored in network byte order.
    #[inline]
    pub const fn add_u32(self, word: u32) -> Self {
        self.add_words(word as u64, false)
    }

    /// Adds eight bytes, as they lie on the wire when `word` is stored in network byte order.
    #[inline]
    pub const fn add_u64(self, word: u64) -> Self {
        self.add_words(word, false)
    }

    /// Adds the sum of some words, or words themselves side by side; after an `odd` one half a word is left.
    #[inline]
    const fn add_words(self, words: u64, odd: bool) -> Self {
        // RFC 1071 §2 (B): a sum of swapped words is the swapped sum. To turn by a byte is to swap, modulo 2¹⁶ − 1.
        let words = words.rotate_left(if self.odd { 8 } else { 0 });
        Self { total: add_around(self.total, words), odd: self.odd ^ odd }
    }

    /// Adds the pseudo-header of TCP and UDP: both addresses, the protocol's number and the length of the segment
    /// with its header, in bytes (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1).
    ///
    /// Both addresses are of one version; mixed ones are summed as they are.
    #[inline]
    pub fn pseudo_header(self, source: IpAddr, destination: IpAddr, protocol: u8, len: u32) -> Self {
        let last = u64::from(protocol) + u64::from(len);
        match (source, destination) {
            // Three numbers of 32 bits fit.
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.add_u64(u64::from(source.to_bits()) + u64::from(destination.to_bits()) + last)
            }
            _ => self.add_address(source).add_address(destination).add_u64(last),
        }
    }

    /// What goes into the checksum field, most significant byte first: the complement of the sum.
    #[inline]
    pub const fn finish(self) -> u16 {
        !fold(self.total)
    }

    /// Like [`finish`](Self::finish) for UDP, where 0 means "no checksum": 0xffff, which counts the same, stands
    /// for it (RFC 768).
    #[inline]
    pub const fn finish_udp(self) -> u16 {
        match self.finish() {
            0 => 0xffff,
            checksum => checksum,
        }
    }

    /// The sum itself, folded into 16 bits and not complemented: what the checksum field holds while a device is
    /// yet to add the rest.
    #[inline]
    pub const fn partial(self) -> u16 {
        fold(self.total)
    }

    /// The sum in 16-bit words side by side, not folded: [`add_u64`](Self::add_u64) adds it to another. What was added is of
    /// an even length.
    #[inline]
    pub const fn words(self) -> u64 {
        self.total
    }

    /// Whether what was added, its checksum field included, is as it was sent.
    #[inline]
    pub const fn is_valid(self) -> bool {
        // RFC 1071 §1 (3): "If the result is all 1 bits … the check succeeds."
        fold(self.total) == 0xffff
    }

    #[cold]
    fn add_address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.add_u32(address.to_bits()),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                self.add_u64((bits >> 64) as u64).add_u64(bits as u64)
            }
        }
    }
}
