//! ChaCha20 with fast key erasure.

use core::convert::Infallible;
use core::fmt;

use chacha20::variants::Legacy;
use chacha20::{ChaChaCore, R20};
use rand_core::block::Generator as _;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use zeroize::Zeroize;

use crate::self_test::{self, START_UP};
use crate::{EntropyError, EntropySource};

/// A generator of unpredictable bytes that has its seed: ChaCha20 with fast key erasure
/// (D. J. Bernstein, "Fast-key-erasure random-number generators", 2017).
///
/// Whoever reads the state cannot compute what was handed out before: the key makes a buffer, the first 32 bytes of
/// the buffer become the next key before anything is handed out, and what is handed out is erased. Whoever reads the
/// state can compute what comes until the next [`reseed`](Self::reseed).
///
/// It is neither `Clone` nor serialisable: two copies would hand out the same bytes. A machine that is resumed from
/// a snapshot is such a copy; it must reseed.
pub struct SeededGenerator {
    /// The next key, and output that was not handed out yet. Invariant: words from `KEY` to `next` are zero.
    buffer: [u32; WORDS],
    /// The first word that was not handed out. Invariant: `KEY <= next <= WORDS`.
    next: usize,
    /// Bytes handed out since the last seed.
    handed_out: u64,
    reseed_after: u64,
}

impl SeededGenerator {
    /// A generator that is seeded from `source`.
    ///
    /// The source gives 1024 bytes, and is refused where they show that it is stuck: they fail the repetition count
    /// test or the adaptive proportion test of NIST SP 800-90B §4.4 (8 bits of entropy a byte, false alarms with
    /// probability 2⁻⁴⁰ a test), or they repeat themselves. All of them become the seed.
    ///
    /// # Errors
    /// [`EntropyError::Stuck`] when the source fails, [`EntropyError::Unavailable`] when it has nothing.
    pub fn new(source: &mut impl EntropySource) -> Result<Self, EntropyError> {
        let mut generator = Self::empty();
        generator.start(source)?;
        Ok(generator)
    }

    /// The same generator, which [wants a reseed](Self::wants_reseed) after every `bytes` bytes.
    #[must_use]
    pub fn with_reseed_after(mut self, bytes: u64) -> Self {
        self.reseed_after = bytes;
        self
    }

    /// Adds 64 fresh bytes of `source` to the state: from then on the output does not follow from the old state.
    ///
    /// # Errors
    /// [`EntropyError::Stuck`] or [`EntropyError::Unavailable`]; the generator is then as before and can be used.
    pub fn reseed(&mut self, source: &mut impl EntropySource) -> Result<(), EntropyError> {
        self.absorb::<RESEED>(source)
    }

    /// Whether so many bytes were handed out since the last seed that it is time for [`reseed`](Self::reseed): 1 MiB,
    /// or what [`with_reseed_after`](Self::with_reseed_after) said. Output goes on without; this is a hint.
    pub const fn wants_reseed(&self) -> bool {
        self.handed_out >= self.reseed_after
    }

    /// Adds `bytes` to the state: arrival times, a serial number, whatever a stranger may not know. They cannot make
    /// the output more predictable, also not when an enemy chose them. They do not count as a seed.
    pub fn mix(&mut self, bytes: &[u8]) {
        // The old key makes the new one in any case, so bytes that undo each other do not bring an old state back.
        self.refill();
        for chunk in bytes.chunks(KEY * 4) {
            for (word, bytes) in self.buffer.iter_mut().zip(chunk.chunks(4)) {
                let mut padded = [0; 4];
                padded[..bytes.len()].copy_from_slice(bytes);
                *word ^= u32::from_le_bytes(padded);
            }
            self.refill();
        }
    }

    /// The state before any seed: its output is known to everybody.
    pub(crate) const fn empty() -> Self {
        Self { buffer: [0; WORDS], next: WORDS, handed_out: 0, reseed_after: 1 << 20 }
    }

    /// Seeds with the start-up test.
    pub(crate) fn start(&mut self, source: &mut impl EntropySource) -> Result<(), EntropyError> {
        self.absorb::<START_UP>(source)
    }

    fn absorb<const N: usize>(&mut self, source: &mut impl EntropySource) -> Result<(), EntropyError> {
        let mut sample = [0; N];
        let healthy = source.fill(&mut sample).and_then(|()| self_test::examine(&sample));
        if healthy.is_ok() {
            self.mix(&sample);
            self.handed_out = 0;
        }
        sample.zeroize();
        healthy
    }

    /// Makes a new buffer from the key, which is overwritten by that.
    fn refill(&mut self) {
        let mut key = [0; KEY * 4];
        for (bytes, word) in key.as_chunks_mut::<4>().0.iter_mut().zip(&self.buffer) {
            *bytes = word.to_le_bytes();
        }
        // A key is used once, so the nonce and the first counter can be zero.
        ChaChaCore::<R20, Legacy>::from_seed(key).generate(&mut self.buffer);
        key.zeroize();
        self.next = KEY;
    }

    /// Hands out one word and erases it.
    #[inline]
    fn take(&mut self) -> u32 {
        if self.next >= WORDS {
            self.refill();
        }
        let word = core::mem::take(&mut self.buffer[self.next]);
        self.next += 1;
        self.handed_out = self.handed_out.saturating_add(4);
        word
    }
}

impl TryRng for SeededGenerator {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.take())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.take());
        Ok(u64::from(self.take()) << 32 | low)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let (words, rest) = bytes.as_chunks_mut::<4>();
        words.iter_mut().for_each(|word| *word = self.take().to_le_bytes());
        if !rest.is_empty() {
            // The unused part of the last word is not kept.
            rest.copy_from_slice(&self.take().to_le_bytes()[..rest.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SeededGenerator {}

impl Drop for SeededGenerator {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl fmt::Debug for SeededGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededGenerator").field("handed_out", &self.handed_out).finish_non_exhaustive()
    }
}

/// Words of a key.
const KEY: usize = 8;
/// Words of a buffer: four blocks, the next key among them.
const WORDS: usize = 64;
/// Bytes that a reseed takes from the source: twice the key.
const RESEED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    /// RFC 8439 §A.1, test vectors 1 and 2: the key stream of the zero key, blocks 0 and 1.
    const ZERO_KEY: [u8; 128] = [
        0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28, 0xbd, 0xd2,
        0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7, 0xda, 0x41, 0x59, 0x7c,
        0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18,
        0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86, 0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
        0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d, 0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6,
        0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed, 0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0,
        0x74, 0xd8, 0x39, 0xd5, 0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79,
        0x4d, 0x6f,
    ];

    #[test]
    fn the_key_stream_is_that_of_rfc_8439_behind_the_next_key() {
        let mut generator = SeededGenerator::empty();
        let mut output = [0; 96];
        generator.fill_bytes(&mut output);
        assert_eq!(output, ZERO_KEY[32..]);
    }

    #[test]
    fn the_state_holds_nothing_of_what_was_handed_out() {
        let mut generator = SeededGenerator::empty();
        let mut history = [0_u32; 1000];
        for (count, slot) in history.iter_mut().enumerate() {
            *slot = generator.next_u32();
            assert!(generator.buffer[KEY..generator.next].iter().all(|word| *word == 0), "after {count} words");
        }
        let kept = history.iter().filter(|word| generator.buffer.contains(word)).count();
        assert_eq!(kept, 0, "of 1000 words");
    }

    #[test]
    fn the_key_is_replaced_before_the_first_byte_is_handed_out() {
        let mut generator = SeededGenerator::empty();
        generator.next_u32();
        let key: [u8; 32] = core::array::from_fn(|i| generator.buffer[i / 4].to_le_bytes()[i % 4]);
        assert_eq!(key, ZERO_KEY[..32]);
    }

    #[test]
    fn what_is_printed_of_a_generator_is_no_secret() {
        extern crate std;
        let mut generator = SeededGenerator::empty();
        generator.next_u64();
        assert_eq!(std::format!("{generator:?}"), "SeededGenerator { handed_out: 8, .. }");
    }
}
