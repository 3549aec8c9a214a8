//! How many lines a second.

use core::sync::atomic::{AtomicU64, Ordering};

use mirage_clock::Instant;

/// Admits so many lines in each second of the clock.
#[derive(Debug)]
pub struct Rate {
    per_second: u32,
    /// The second in the upper half, the lines that asked in it in the lower.
    window: AtomicU64,
    missing: AtomicU64,
}

impl Rate {
    /// At most `per_second` lines in each second.
    pub const fn new(per_second: u32) -> Self {
        Self { per_second, window: AtomicU64::new(0), missing: AtomicU64::new(0) }
    }

    /// Whether one more line may be written at `now`, and how many were refused since the last that was.
    pub fn admit(&self, now: Instant) -> Option<u64> {
        let second = (now.as_nanos() / 1_000_000_000) << 32;
        let count =
            |window: u64| Some(if window >> 32 == second >> 32 { window.saturating_add(1) } else { second | 1 });
        // The closure never says `None`, so there is always a value before.
        let before = self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).unwrap_or(0);
        let lines = count(before).unwrap_or(0) as u32;
        if lines > self.per_second {
            self.missing.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.missing.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_in_one_second_is_told_in_the_next() {
        let rate = Rate::new(2);
        let second = Instant::from_secs(7);
        assert_eq!([(); 5].map(|()| rate.admit(second)), [Some(0), Some(0), None, None, None]);
        assert_eq!(rate.admit(Instant::from_secs(8)), Some(3));
        assert_eq!(rate.admit(Instant::from_secs(8)), Some(0));
        assert_eq!(rate.admit(Instant::from_secs(8)), None);
    }
}
