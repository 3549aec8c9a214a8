//! Sources that tests own, and the exams for every source and generator.

use rand_core::CryptoRng;

use crate::self_test::{START_UP, examine};
use crate::{EntropyError, EntropySource};

/// A source whose bytes follow from a number: the same in every run, and known to everybody.
///
/// It passes the self-test of a source. Never seed anything with it that leaves a test.
#[derive(Clone, Debug)]
pub struct FixedEntropy {
    state: u64,
}

impl FixedEntropy {
    /// The source with this number.
    pub const fn new(number: u64) -> Self {
        Self { state: number }
    }
}

impl EntropySource for FixedEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        // SplitMix64 (Steele, Lea, Flood 2014).
        for chunk in bytes.chunks_mut(8) {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source that is broken: it repeats a pattern for ever.
#[derive(Clone, Debug)]
pub struct StuckEntropy<'a> {
    pattern: &'a [u8],
    next: usize,
}

impl<'a> StuckEntropy<'a> {
    /// Repeats `pattern`. An empty one is a source that has nothing to give.
    pub const fn repeating(pattern: &'a [u8]) -> Self {
        Self { pattern, next: 0 }
    }
}

impl EntropySource for StuckEntropy<'_> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            *byte = *self.pattern.get(self.next).ok_or(EntropyError::Unavailable)?;
            self.next = (self.next + 1) % self.pattern.len();
        }
        Ok(())
    }
}

/// The exam for a source: it fills every byte of what it is given, gives other bytes every time and is not stuck.
///
/// # Panics
/// When the source fails, or has nothing now.
pub fn examine_source(source: &mut impl EntropySource) {
    source.fill(&mut []).expect("nothing can always be given");
    let (mut first, mut second) = ([0; START_UP], [0; START_UP]);
    source.fill(&mut first).expect("the exam needs entropy");
    source.fill(&mut second).expect("the exam needs entropy");
    assert_ne!(first, second, "two fills are the same");
    assert_eq!(examine(&first), Ok(()), "the first fill looks stuck");
    assert_eq!(examine(&second), Ok(()), "the second fill looks stuck");
    every_byte_is_filled(|bytes| source.fill(bytes).expect("the exam needs entropy"));
}

/// The exam for a generator: every byte is filled, no block comes twice, ones are as frequent as zeroes, all bytes
/// are about as frequent, and the three ways to ask all move on. It finds mistakes in the plumbing, not in the
/// cryptography.
///
/// A good generator fails by chance with a probability below 10⁻⁹.
///
/// # Panics
/// When the generator fails.
pub fn examine_generator(generator: &mut impl CryptoRng) {
    every_byte_is_filled(|bytes| generator.fill_bytes(bytes));

    let mut blocks = [[0_u8; 16]; 512];
    blocks.iter_mut().for_each(|block| generator.fill_bytes(block));
    blocks.sort_unstable();
    assert!(blocks.windows(2).all(|pair| pair[0] != pair[1]), "a block of 16 bytes came twice");

    assert_ne!(generator.next_u64(), generator.next_u64(), "next_u64 does not move on");
    let words = [(); 8].map(|()| generator.next_u32());
    assert!(words.iter().any(|word| *word != words[0]), "next_u32 does not move on");

    const SAMPLES: usize = 1 << 17;
    let (mut ones, mut counts) = (0_usize, [0_usize; 256]);
    for _ in 0..SAMPLES / 8 {
        let word = generator.next_u64();
        ones += word.count_ones() as usize;
        word.to_le_bytes().iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    }
    // 2²⁰ fair bits: 2¹⁹ ones, standard deviation 512. Each byte: 512 times, standard deviation 23.
    assert!(ones.abs_diff(SAMPLES * 4) < 512 * 8, "{ones} ones in {} bits", SAMPLES * 8);
    assert!(counts.iter().all(|count| count.abs_diff(SAMPLES / 256) < 23 * 8), "some byte is too rare or frequent");
}

/// Fills slices of all lengths to 67 until each byte was seen to change, and looks that nothing beyond does.
fn every_byte_is_filled(mut fill: impl FnMut(&mut [u8])) {
    for len in 0..=67 {
        let (mut bytes, mut changed) = ([0; 68], [0; 68]);
        // A byte stays zero in 16 fills with probability 2⁻¹²⁸.
        for _ in 0..16 {
            fill(&mut bytes[..len]);
            changed.iter_mut().zip(&bytes).for_each(|(seen, byte)| *seen |= byte);
        }
        assert!(changed[..len].iter().all(|seen| *seen != 0), "a byte of {len} was never filled");
        assert!(changed[len..].iter().all(|seen| *seen == 0), "more than {len} bytes were filled");
    }
}
