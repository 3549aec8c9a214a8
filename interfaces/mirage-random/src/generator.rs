//! A generator that says no before it is seeded.

use rand_core::{TryCryptoRng, TryRng};

use crate::{EntropyError, EntropySource, SeededGenerator};

/// A [`SeededGenerator`], once it is seeded: for a place that must exist before there is entropy, such as a `static`
/// in a machine that has just started.
///
/// Until then every request for output fails with [`EntropyError::Unseeded`]. Code that can be handed a seeded
/// generator should take a [`SeededGenerator`] instead and have one error less.
#[derive(Debug)]
pub struct Generator {
    /// Keeps what was mixed in, seeded or not.
    inner: SeededGenerator,
    seeded: bool,
}

impl Generator {
    /// A generator that has no seed yet.
    pub const fn unseeded() -> Self {
        Self { inner: SeededGenerator::empty(), seeded: false }
    }

    /// Seeds the generator from `source`, or adds to the seed; what was mixed in before stays in.
    ///
    /// The source is examined first: see [`SeededGenerator::new`].
    ///
    /// # Errors
    /// [`EntropyError::Stuck`] or [`EntropyError::Unavailable`]; the generator is then as before.
    pub fn seed(&mut self, source: &mut impl EntropySource) -> Result<(), EntropyError> {
        self.inner.start(source)?;
        self.seeded = true;
        Ok(())
    }

    /// Whether it has a seed.
    pub const fn is_seeded(&self) -> bool {
        self.seeded
    }

    /// Adds `bytes` to the state, see [`SeededGenerator::mix`]. It is no seed.
    pub fn mix(&mut self, bytes: &[u8]) {
        self.inner.mix(bytes);
    }

    /// The generator whose output cannot fail.
    ///
    /// # Errors
    /// [`EntropyError::Unseeded`] until [`seed`](Self::seed) was successful.
    pub fn seeded(&mut self) -> Result<&mut SeededGenerator, EntropyError> {
        if self.seeded { Ok(&mut self.inner) } else { Err(EntropyError::Unseeded) }
    }
}

impl From<SeededGenerator> for Generator {
    fn from(inner: SeededGenerator) -> Self {
        Self { inner, seeded: true }
    }
}

impl TryRng for Generator {
    type Error = EntropyError;

    fn try_next_u32(&mut self) -> Result<u32, EntropyError> {
        self.seeded().map(rand_core::Rng::next_u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, EntropyError> {
        self.seeded().map(rand_core::Rng::next_u64)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.seeded().map(|generator| rand_core::Rng::fill_bytes(generator, bytes))
    }
}

impl TryCryptoRng for Generator {}
