//! Measuring the time stamp counter against another that counts down.

use crate::machine::cpu::instruction::time_stamp;

/// Ticks a second of the time stamp counter, by 5 ms of a counter that `left` reads, of `hertz` ticks a second, and that goes on with
/// `most` after 0. `None` when that does not move.
pub(super) fn against(left: impl Fn() -> u32, most: u32, hertz: u64) -> Option<u64> {
    let first = Reading::take(&left);
    let wanted = hertz / 200;
    loop {
        let ticks = first.ticks_to(left(), most);
        if ticks >= wanted {
            return first.rate(&Reading::take(&left), most, hertz);
        }
        // A counter that moves gets there, however long the host lets this processor stand.
        if ticks == 0 && time_stamp().wrapping_sub(first.stamp) > PATIENCE {
            return None;
        }
    }
}

/// Ticks of the time stamp counter before a counter counts as stopped: 10 ms and more at any usual rate.
const PATIENCE: u64 = 1 << 26;

/// Both counters at one time.
#[derive(Clone, Copy, Debug)]
struct Reading {
    stamp: u64,
    left: u32,
}

impl Reading {
    /// Reads both, and again a few times: of all, the reading that was disturbed least.
    fn take(left: impl Fn() -> u32) -> Self {
        let once = || {
            let before = time_stamp();
            let left = left();
            let took = time_stamp() - before;
            (took, Self { stamp: before + took / 2, left })
        };
        let best = (0..4).map(|_| once()).min_by_key(|(took, _)| *took);
        best.map_or(Self { stamp: 0, left: 0 }, |(_, reading)| reading)
    }

    fn ticks_to(&self, left: u32, most: u32) -> u64 {
        (u64::from(self.left) + if left > self.left { u64::from(most) + 1 } else { 0 }) - u64::from(left)
    }

    fn rate(&self, later: &Self, most: u32, hertz: u64) -> Option<u64> {
        let stamps = u128::from(later.stamp.checked_sub(self.stamp)?);
        let rate = (stamps * u128::from(hertz)).checked_div(self.ticks_to(later.left, most).into())?;
        u64::try_from(rate).ok().filter(|rate| *rate > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_other_counter_times_the_ratio() {
        let first = Reading { stamp: 1_000, left: 60_000 };
        let later = Reading { stamp: 1_000 + 15_000_000, left: 60_000 - 5_966 };
        assert_eq!(first.rate(&later, 0xffff, 1_193_182), Some(2_999_954_743));
    }

    #[test]
    fn a_counter_that_went_past_zero_is_understood() {
        let first = Reading { stamp: 0, left: 100 };
        assert_eq!(first.ticks_to(0xffff - 900, 0xffff), 1_001);
        assert_eq!(first.ticks_to(100, 0xffff), 0);
    }

    #[test]
    fn counters_that_stand_still_have_no_rate() {
        let reading = Reading { stamp: 5, left: 5 };
        assert_eq!(reading.rate(&reading, 0xffff, 1_193_182), None);
        assert_eq!(against(|| 7, 0xffff, 1_193_182), None);
    }

    #[test]
    fn a_counter_that_was_not_looked_at_for_long_is_measured_all_the_same() {
        let looks = core::cell::Cell::new(0);
        let left = || {
            looks.set(looks.get() + 1);
            if looks.get() == 5 {
                std::thread::sleep(core::time::Duration::from_millis(100));
            }
            // Two ticks a look: at first far less than what is wanted.
            u32::MAX - 2 * looks.get()
        };
        assert!(against(left, u32::MAX, 200 * 20).is_some());
    }

    #[test]
    fn the_counter_of_this_machine_is_measured() {
        let start = std::time::Instant::now();
        let left = || u32::MAX - u32::try_from(start.elapsed().as_micros()).expect("not that long");
        let hertz = against(left, u32::MAX, 1_000_000).expect("it moves");
        assert!((100_000_000..10_000_000_000).contains(&hertz), "{hertz}");
    }
}
