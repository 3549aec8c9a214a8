//! Checksums of things that lie in one piece.

use crate::Sum;

/// The checksum of `bytes`, to be stored most significant byte first in a field that was zero meanwhile.
///
/// ```
/// // The header in RFC 1071 §3, and its sum.
/// assert_eq!(mirage_checksum::checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
/// ```
#[inline]
pub fn checksum(bytes: &[u8]) -> u16 {
    Sum::of(bytes).finish()
}

/// Whether `bytes`, with the checksum somewhere among them, are as they were sent.
#[inline]
pub fn verify(bytes: &[u8]) -> bool {
    Sum::of(bytes).is_valid()
}

/// The new checksum after one 16-bit word of what it covers changed from `old` to `new` (RFC 1624 §3, equation 3).
///
/// In UDP a result of 0 must be stored as 0xffff.
#[inline]
pub const fn update(old_checksum: u16, old: u16, new: u16) -> u16 {
    // RFC 1624 §3: "HC' = ~(~HC + ~m + m')"
    Sum::ZERO.add_u16(!old_checksum).add_u16(!old).add_u16(new).finish()
}
