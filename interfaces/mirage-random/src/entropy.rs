//! Where unpredictable bits come from.

use core::fmt;

/// A source of unpredictable bytes: the kernel, RDSEED, a virtio-rng.
///
/// Slow and not to be used directly: it seeds a generator.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of entropy",
    note = "sources: `mirage_unix::KernelEntropy`, `mirage_random::testing::FixedEntropy`"
)]
pub trait EntropySource {
    /// Fills `bytes` with full entropy: 8 unpredictable bits a byte.
    ///
    /// # Errors
    /// [`EntropyError::Unavailable`] when there is none now; `bytes` are then unspecified and must not be used.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// Why there is no entropy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntropyError {
    /// The source has none now: wait, or use another source.
    Unavailable,
    /// The source failed its self-test (NIST SP 800-90B §4.4): it is stuck. Do not start.
    Stuck,
    /// The generator was asked before it was seeded.
    Unseeded,
}

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "no entropy is available",
            Self::Stuck => "the entropy source failed its self-test",
            Self::Unseeded => "the random generator was not seeded",
        })
    }
}

impl core::error::Error for EntropyError {}

impl<T: EntropySource + ?Sized> EntropySource for &mut T {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        T::fill(self, bytes)
    }
}
