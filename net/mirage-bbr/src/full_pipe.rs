//! Whether sending faster still makes more arrive (draft-ietf-ccwg-bbr §5.3.1.2).

/// BBR.full_bw and its like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FullPipe {
    baseline: u64,
    rounds: u8,
    /// BBR.full_bw_now: the rate has stopped growing since the search began.
    pub(crate) now: bool,
}

impl FullPipe {
    /// A new search, that starts from `rate`.
    pub(crate) fn from(rate: u64) -> Self {
        Self { baseline: rate, rounds: 0, now: false }
    }

    /// A round trip ended, in which the network and not the application set the pace.
    pub(crate) fn end_round(&mut self, rate: u64) {
        if self.now {
            return;
        }
        // By a quarter at least.
        if rate - rate / 5 >= self.baseline {
            *self = Self::from(rate);
            return;
        }
        self.rounds += 1;
        self.now = self.rounds >= 3;
    }
}
