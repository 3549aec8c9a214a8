//! How many messages may leave.

use mirage_clock::Instant;

/// How many messages may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run, each second; 0 for none at all.
    pub per_second: u32,
    /// At once after a silence; at least 1.
    pub burst: u32,
}

/// A bucket of tokens that fills with time.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Nanoseconds that one token takes to come.
    interval: u64,
    /// Invariant: `credit <= capacity`, in nanoseconds.
    capacity: u64,
    credit: u64,
    filled: Instant,
}

/// What a message costs when nothing is left to chance.
pub(crate) const ONE: u64 = 256;

impl Bucket {
    pub(crate) const fn new(rate: Rate) -> Self {
        let Some(interval) = 1_000_000_000_u64.checked_div(rate.per_second as u64) else {
            return Self { interval: u64::MAX / ONE, capacity: 0, credit: 0, filled: Instant::ZERO };
        };
        // At least one token and a half: a message may cost so much.
        let capacity = interval * if rate.burst == 0 { 1 } else { rate.burst as u64 } + interval / 2;
        Self { interval, capacity, credit: capacity, filled: Instant::ZERO }
    }

    /// Takes `cost` 256ths of a token, if they are there.
    pub(crate) fn take(&mut self, now: Instant, cost: u64) -> bool {
        self.credit = self.credit.saturating_add(now.since(self.filled).as_nanos()).min(self.capacity);
        self.filled = self.filled.max(now);
        match self.credit.checked_sub(self.interval.saturating_mul(cost) / ONE) {
            Some(credit) => {
                self.credit = credit;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut Bucket, now: Instant) -> usize {
        (0..1_000).filter(|_| bucket.take(now, ONE)).count()
    }

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::new(Rate { per_second: 10, burst: 5 });
        assert_eq!(taken(&mut bucket, Instant::ZERO), 5);
        assert_eq!(taken(&mut bucket, Instant::from_millis(100)), 1);
        assert_eq!(taken(&mut bucket, Instant::from_secs(3_600)), 5);
    }

    #[test]
    fn none_at_all_is_none_for_ever() {
        let mut bucket = Bucket::new(Rate { per_second: 0, burst: 5 });
        assert_eq!(taken(&mut bucket, Instant::ZERO), 0);
        assert_eq!(taken(&mut bucket, Instant::MAX), 0);
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing() {
        let mut bucket = Bucket::new(Rate { per_second: 1, burst: 1 });
        let now = Instant::from_secs(9);
        assert_eq!(taken(&mut bucket, now), 1);
        assert_eq!(taken(&mut bucket, Instant::from_secs(8)), 0);
        assert_eq!(taken(&mut bucket, now), 0);
    }
}
