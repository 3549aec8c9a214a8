//! When to stop asking the device for frames.
//!
//! That there are no more is known when the device says so, which for many costs a system call. In a quiet conversation,
//! where a frame or two come and one is sent, that is a question in vain for each answer. There a round is over when as
//! many frames have come as in those before: first they are answered, and then the device is asked for the next instead of
//! for no more of these.

/// How many frames each round brings.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// How many the next is expected to have; [`ALL`] when that is not known. At least 1.
    expected: usize,
    /// Rounds that have ended with the expected frame since one that ended because there was no other.
    unasked: u32,
    /// Bytes that the device had sent when the last round was answered.
    sent: u64,
}

impl Rounds {
    pub(crate) const fn new() -> Self {
        Self { expected: ALL, unasked: 0, sent: 0 }
    }

    /// Whether a round is over after `taken` frames, without asking for another.
    #[inline]
    pub(crate) const fn is_over(&self, taken: usize) -> bool {
        taken >= self.expected
    }

    /// A frame of `len` bytes came.
    #[inline]
    pub(crate) const fn came(&mut self, len: usize) {
        if len > SHORT {
            self.expected = ALL;
        }
    }

    /// A round has ended with its last expected frame.
    #[inline]
    pub(crate) const fn unasked(&mut self) {
        self.unasked += 1;
        // From time to time it is seen what there is.
        if self.unasked >= UNASKED {
            self.expected = ALL;
        }
    }

    /// A round has ended after `taken` frames because there were no more.
    #[inline]
    pub(crate) const fn asked(&mut self, taken: usize) {
        if taken > 0 {
            self.expected = if taken <= FEW { taken } else { ALL };
            self.unasked = 0;
        }
    }

    /// The device has sent `bytes` in all. After much there will be many acknowledgements, which cost the least together.
    #[inline]
    pub(crate) const fn answered(&mut self, bytes: u64) {
        if bytes.wrapping_sub(self.sent) > MUCH {
            self.expected = ALL;
        }
        self.sent = bytes;
    }
}

/// All there are.
const ALL: usize = usize::MAX;
/// Most frames in a round of a quiet conversation: a request, and before it an acknowledgement of the last answer.
const FEW: usize = 2;
/// Bytes of the longest frame in it.
const SHORT: usize = 511;
/// Most bytes that are sent after a round of it.
const MUCH: u64 = 4_096;
/// So many rounds go by without a question in vain.
const UNASKED: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_over_when_it_has_as_many_frames_as_the_last_that_was_asked_about() {
        for frames in 1..=FEW {
            let mut rounds = Rounds::new();
            assert!(!rounds.is_over(frames), "nothing is known");
            rounds.asked(frames);
            assert!(!rounds.is_over(frames - 1) && rounds.is_over(frames));
            rounds.asked(0);
            assert!(rounds.is_over(frames), "that there was nothing says nothing");
        }
    }

    #[test]
    fn after_some_rounds_the_device_is_asked_again() {
        let mut rounds = Rounds::new();
        rounds.asked(1);
        for _ in 0..UNASKED {
            assert!(rounds.is_over(1));
            rounds.unasked();
        }
        assert!(!rounds.is_over(1));
        rounds.asked(1);
        assert!(rounds.is_over(1));
    }

    #[test]
    fn many_frames_long_ones_and_long_answers_make_rounds_whole() {
        let quiet = || {
            let mut rounds = Rounds::new();
            rounds.answered(1_000_000);
            rounds.asked(1);
            assert!(rounds.is_over(1));
            rounds
        };
        let mut rounds = quiet();
        rounds.asked(FEW + 1);
        assert!(!rounds.is_over(FEW + 1), "many frames");
        let mut rounds = quiet();
        rounds.came(SHORT);
        assert!(rounds.is_over(1));
        rounds.came(SHORT + 1);
        assert!(!rounds.is_over(1), "a long frame");
        let mut rounds = quiet();
        rounds.answered(1_000_000 + MUCH);
        assert!(rounds.is_over(1));
        rounds.answered(1_000_000 + 2 * MUCH + 1);
        assert!(!rounds.is_over(1), "a long answer");
    }
}
