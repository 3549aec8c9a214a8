//! The kernel's clocks.

use mirage_clock::{Duration, Instant, Monotonic, Timestamp, Wall};
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// `CLOCK_MONOTONIC`: nanoseconds since some start, usually the host's boot.
///
/// On Linux it stands still while the machine is suspended, so timers of connections do not all run out on resume.
/// It is never set; NTP may slew its rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock;

impl Monotonic for MonotonicClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(nanos(clock_gettime(ClockId::Monotonic)))
    }

    fn resolution(&self) -> Duration {
        step(ClockId::Monotonic)
    }
}

/// `CLOCK_REALTIME`: the time of day in UTC as the host has it. It may jump in either direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Wall for WallClock {
    fn timestamp(&self) -> Option<Timestamp> {
        let time = clock_gettime(ClockId::Realtime);
        Some(Timestamp { seconds: time.tv_sec, nanos: u32::try_from(time.tv_nsec).unwrap_or(0) })
    }

    fn resolution(&self) -> Duration {
        step(ClockId::Realtime)
    }
}

/// Never zero: a kernel that does not know claims one nanosecond.
fn step(clock: ClockId) -> Duration {
    Duration::from_nanos(nanos(clock_getres(clock)).max(1))
}

/// A time after the clock's start in nanoseconds; the kernel gives none before it.
fn nanos(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_passes_its_exam() {
        mirage_clock::testing::examine_monotonic(&MonotonicClock);
    }

    #[test]
    fn the_wall_clock_passes_its_exam() {
        mirage_clock::testing::examine_wall(&WallClock);
    }

    #[test]
    fn the_wall_clock_is_in_this_century() {
        let now = WallClock.timestamp().expect("every Unix has one").seconds;
        assert!((1_600_000_000..4_100_000_000).contains(&now), "{now}");
    }

    #[test]
    fn a_millisecond_of_sleep_is_seen() {
        let before = MonotonicClock.now();
        std::thread::sleep(core::time::Duration::from_millis(1));
        assert!(MonotonicClock.now() - before >= Duration::from_millis(1));
    }
}
