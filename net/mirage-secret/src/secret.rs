//! A key, and what follows from it.

use core::fmt;

use siphasher::sip::SipHasher24;

/// Sixteen bytes that nobody outside knows, drawn at boot.
#[derive(Clone, Copy)]
pub struct Secret([u8; 16]);

impl Secret {
    /// From unpredictable bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// SipHash-2-4 of `bytes`: who does not know the secret can neither foresee it nor learn anything from it.
    // Never inlined: an image holds it once for all its machines.
    #[inline(never)]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_the_paper() {
        // Appendix A of "SipHash: a fast short-input PRF": this key and input give this output.
        let key = core::array::from_fn(|index| index as u8);
        let input: [u8; 15] = core::array::from_fn(|index| index as u8);
        assert_eq!(Secret::new(key).hash(&input), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert_eq!(alloc::format!("{:?}", Secret::new([0xab; 16])), "Secret(..)");
    }
}
