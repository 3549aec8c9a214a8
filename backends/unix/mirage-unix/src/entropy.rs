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
    fn two_fills_differ_and_every_byte_is_reached() {
        let (mut first, mut second) = ([0; 64], [0; 64]);
        KernelEntropy.fill(&mut first).expect("the kernel has entropy");
        KernelEntropy.fill(&mut second).expect("the kernel has entropy");
        assert_ne!(first, second);
        // Each byte stays zero in 40 fills with a probability of 256^-40.
        let mut seen = [0; 64];
        for _ in 0..40 {
            KernelEntropy.fill(&mut first).expect("the kernel has entropy");
            seen.iter_mut().zip(first).for_each(|(seen, byte)| *seen |= byte);
        }
        assert!(seen.iter().all(|byte| *byte != 0));
    }
}
