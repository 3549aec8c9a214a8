//! The kernel's random generator.

use mirage_random::{EntropyError, EntropySource};

/// The kernel's generator (`getrandom(2)`, or what the system has in its place).
///
/// It waits only early at the host's boot, until the kernel's own pool is seeded.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelEntropy;

impl EntropySource for KernelEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_entropy_passes_its_exam() {
        mirage_random::testing::examine_source(&mut KernelEntropy);
    }
}
