//! The processor's entropy, where the processor of the tests has it.

use mirage_random::{EntropyError, EntropySource};
use mirage_solo5::ProcessorEntropy;

#[test]
fn the_processors_entropy_passes_its_exam() {
    if ProcessorEntropy.fill(&mut [0]) == Err(EntropyError::Unavailable) {
        eprintln!("this processor has no generator");
        return;
    }
    mirage_random::testing::examine_source(&mut ProcessorEntropy);
}
