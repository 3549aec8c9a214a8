//! Numbers that wrap around.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A sequence number: arithmetic modulo 2³² (RFC 9293 §3.4, RFC 1982 with SERIAL_BITS = 32).
///
/// There is no `<`: on a circle it is not transitive. Of two numbers up to 2³¹ − 1 apart one is before the other;
/// at exactly 2³¹ RFC 1982 leaves the order open, and here each is before the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SequenceNumber(pub u32);

impl SequenceNumber {
    /// Whether `self` comes before `other`.
    #[inline]
    pub const fn before(self, other: Self) -> bool {
        self.signed_since(other) < 0
    }

    /// Whether `self` is `other` or comes before it.
    #[inline]
    pub const fn at_or_before(self, other: Self) -> bool {
        self.signed_since(other) <= 0
    }

    /// Whether `self` comes after `other`.
    #[inline]
    pub const fn after(self, other: Self) -> bool {
        self.signed_since(other) > 0
    }

    /// Whether `self` is `other` or comes after it.
    #[inline]
    pub const fn at_or_after(self, other: Self) -> bool {
        self.signed_since(other) >= 0
    }

    /// How many steps forward from `earlier` to `self`, modulo 2³².
    #[inline]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// How many steps forward from `self` to `later`, modulo 2³².
    #[inline]
    pub const fn distance_to(self, later: Self) -> u32 {
        later.since(self)
    }

    /// How far `self` lies after `other` the short way round; negative when it lies before.
    #[inline]
    pub const fn signed_since(self, other: Self) -> i32 {
        self.since(other) as i32
    }

    /// The number `steps` further on, modulo 2³².
    #[inline]
    pub const fn add(self, steps: u32) -> Self {
        Self(self.0.wrapping_add(steps))
    }

    /// Whether `self` is one of the `len` numbers from `start` on. An empty window holds nothing.
    #[inline]
    pub const fn in_window(self, start: Self, len: u32) -> bool {
        self.since(start) < len
    }

    /// The later of two.
    #[inline]
    #[must_use]
    pub const fn latest(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }
}

impl Add<u32> for SequenceNumber {
    type Output = Self;
    #[inline]
    fn add(self, steps: u32) -> Self {
        self.add(steps)
    }
}

impl AddAssign<u32> for SequenceNumber {
    #[inline]
    fn add_assign(&mut self, steps: u32) {
        *self = self.add(steps);
    }
}

impl Sub<u32> for SequenceNumber {
    type Output = Self;
    #[inline]
    fn sub(self, steps: u32) -> Self {
        Self(self.0.wrapping_sub(steps))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
