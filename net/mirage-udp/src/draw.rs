//! Numbers that nobody outside can guess.

use core::hash::Hasher;

use siphasher::sip::SipHasher13;

/// A row of numbers that only the secret tells.
#[derive(Clone)]
pub(crate) struct Draws {
    secret: [u8; 16],
    drawn: u64,
}

impl Draws {
    pub(crate) const fn new(secret: [u8; 16]) -> Self {
        Self { secret, drawn: 0 }
    }

    /// The next number below `bound`, or 0. Bounds up to 2³² are drawn without noticeable bias.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        hasher.write_u64(self.drawn);
        self.drawn = self.drawn.wrapping_add(1);
        hasher.finish().checked_rem(bound).unwrap_or(0)
    }
}

impl core::fmt::Debug for Draws {
    /// Without the secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Draws").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}
