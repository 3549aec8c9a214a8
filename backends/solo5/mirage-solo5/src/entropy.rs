//! The processor's random generator.

use mirage_random::{EntropyError, EntropySource};

/// The processor's own source: `RDSEED`, and `RDRAND` where there is no `RDSEED` or it has nothing left.
///
/// Neither tender gives an image any entropy, so there is no other. A processor that has neither instruction, as all
/// x86-64 before 2012, and every other architecture, has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessorEntropy;

#[cfg(target_arch = "x86_64")]
mod x86_64;

impl EntropySource for ProcessorEntropy {
    #[cfg(target_arch = "x86_64")]
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        x86_64::fill(bytes).ok_or(EntropyError::Unavailable)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::Unavailable)
    }
}
