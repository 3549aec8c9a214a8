//! Whether a source of entropy is stuck: the health tests of NIST SP 800-90B §4.4.

use crate::EntropyError;

/// Examines raw bytes of a source that promises 8 bits of entropy a byte.
///
/// The tests find a source that broke, not one that lies: a counter that is encrypted passes them.
pub(crate) fn examine(sample: &[u8]) -> Result<(), EntropyError> {
    if is_repetitive(sample) || is_lopsided(sample) || is_periodic(sample) { Err(EntropyError::Stuck) } else { Ok(()) }
}

/// SP 800-90B §4.4.1, the repetition count test: the same byte too often in a row.
fn is_repetitive(sample: &[u8]) -> bool {
    sample.windows(REPETITIONS).any(|run| run.iter().all(|byte| *byte == run[0]))
}

/// SP 800-90B §4.4.2, the adaptive proportion test: the first byte of a window too often in it.
fn is_lopsided(sample: &[u8]) -> bool {
    sample.chunks_exact(WINDOW).any(|window| window.iter().filter(|byte| **byte == window[0]).count() >= PROPORTION)
}

/// The last bytes were there before: the sample has a period, also one that is too long for the other tests. It
/// happens by chance with a probability below 2⁻²⁰⁰.
fn is_periodic(sample: &[u8]) -> bool {
    let Some((before, last)) = sample.split_last_chunk::<PERIODIC>() else {
        return false;
    };
    before.windows(PERIODIC).any(|window| window == last)
}

/// Bytes that are examined at the start. SP 800-90B §4.3: "at least 1,024 consecutive samples".
pub(crate) const START_UP: usize = 1024;

/// 1 + ⌈40 / 8⌉: false alarms with probability α = 2⁻⁴⁰.
const REPETITIONS: usize = 6;
/// Window of the adaptive proportion test for sources that are not binary.
const WINDOW: usize = 512;
/// 1 + the critical value of the binomial distribution for 511 trials with 2⁻⁸ at α = 2⁻⁴⁰.
const PROPORTION: usize = 20;
const PERIODIC: usize = 27;

#[cfg(test)]
mod tests {
    use super::*;

    /// Not random, but without any of the patterns.
    fn healthy() -> [u8; START_UP] {
        let mut state = 1_u64;
        [(); START_UP].map(|()| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
    }

    #[test]
    fn a_healthy_source_passes() {
        assert_eq!(examine(&healthy()), Ok(()));
    }

    #[test]
    fn six_equal_bytes_in_a_row_are_stuck_and_five_are_not() {
        let mut sample = healthy();
        sample[100..105].fill(7);
        sample[99] = 1;
        sample[105] = 2;
        assert_eq!(examine(&sample), Ok(()));
        sample[105] = 7;
        assert_eq!(examine(&sample), Err(EntropyError::Stuck));
    }

    #[test]
    fn twenty_of_a_byte_in_a_window_are_stuck_and_nineteen_are_not() {
        let mut sample = healthy();
        sample.iter_mut().filter(|byte| **byte == 7).for_each(|byte| *byte = 8);
        (0..19).for_each(|n| sample[512 + 20 * n] = 7);
        assert_eq!(examine(&sample), Ok(()));
        sample[1023] = 7;
        assert_eq!(examine(&sample), Err(EntropyError::Stuck));
    }

    #[test]
    fn every_period_up_to_the_length_of_the_sample_is_stuck() {
        let random = healthy();
        for period in 1..=START_UP - PERIODIC {
            let mut sample = [0; START_UP];
            for (n, byte) in sample.iter_mut().enumerate() {
                *byte = random[n % period];
            }
            assert_eq!(examine(&sample), Err(EntropyError::Stuck), "period {period}");
        }
    }

    #[test]
    fn a_sample_too_short_for_a_test_does_not_break_it() {
        for len in 0..100 {
            assert_eq!(examine(&healthy()[..len]), Ok(()));
        }
    }
}
