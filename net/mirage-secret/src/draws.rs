//! Numbers that nobody outside can guess.

use core::fmt;

use crate::Secret;

/// A row of numbers that only the secret tells.
#[derive(Clone)]
pub struct Draws {
    secret: Secret,
    drawn: u64,
}

impl Draws {
    /// The start of the row. Another machine with the same secret draws the same numbers.
    pub const fn new(secret: [u8; 16]) -> Self {
        Self { secret: Secret::new(secret), drawn: 0 }
    }

    /// The next number below `bound`, or 0. Bounds up to 2³² are drawn without noticeable bias.
    #[inline(never)]
    pub fn below(&mut self, bound: u64) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        let fraction = self.secret.hash(&self.drawn.to_le_bytes());
        // The upper half of a product with a 64-bit fraction.
        ((u128::from(fraction) * u128::from(bound)) >> 64) as u64
    }
}

impl fmt::Debug for Draws {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draws").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_the_bound_and_reach_all_of_it() {
        let mut draws = Draws::new([1; 16]);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[draws.below(10) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
    }

    #[test]
    fn below_nothing_and_one_there_is_only_zero() {
        let mut draws = Draws::new([1; 16]);
        assert_eq!((draws.below(0), draws.below(1)), (0, 0));
    }

    #[test]
    fn another_secret_draws_another_row() {
        let row = |secret| {
            core::array::from_fn::<u64, 8, _>({
                let mut draws = Draws::new([secret; 16]);
                move |_| draws.below(u64::MAX)
            })
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
    }
}
