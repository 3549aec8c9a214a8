//! Instants, spans and the clock of tests.

use mirage_clock::{Duration, Instant};

#[test]
fn spans_saturate_at_both_ends() {
    let (second, never) = (Duration::from_secs(1), Duration::MAX);
    assert_eq!(never + second, never);
    assert_eq!(second - never, Duration::ZERO);
    assert_eq!(never * 2, never);
    assert_eq!(Duration::from_secs(u64::MAX), never);
    assert_eq!(Duration::from_millis(u64::MAX), never);
    assert_eq!(Duration::from_micros(u64::MAX), never);
    assert_eq!(second / 0, never, "a division by zero does not panic");
    assert_eq!((second.checked_sub(never), never.checked_sub(second).is_some()), (None, true));
    let mut sum = never;
    sum += second;
    assert_eq!(sum, never);
}

#[test]
fn instants_saturate_at_both_ends() {
    let (start, second) = (Instant::ZERO, Duration::from_secs(1));
    assert_eq!(Instant::MAX + second, Instant::MAX);
    assert_eq!(start - second, start);
    assert_eq!(start - Instant::from_secs(1), Duration::ZERO);
    assert_eq!(Instant::from_secs(1) - start, second);
    assert_eq!(Instant::MAX.since(start), Duration::MAX);
    assert_eq!(Instant::from_secs(u64::MAX), Instant::MAX);
    assert_eq!(Instant::from_millis(u64::MAX), Instant::MAX);
    assert_eq!(Instant::from_micros(u64::MAX), Instant::MAX);
}

#[test]
fn units_are_what_they_say_and_rounded_down() {
    let span = Duration::from_nanos(1_999_999_999);
    assert_eq!((span.as_secs(), span.as_millis(), span.as_micros()), (1, 1_999, 1_999_999));
    assert_eq!(Duration::from_secs(2), Duration::from_millis(2_000));
    assert_eq!(Duration::from_millis(2), Duration::from_micros(2_000));
    assert_eq!(Duration::from_micros(2), Duration::from_nanos(2_000));
    assert_eq!(Duration::from_secs(3) / 2, Duration::from_millis(1_500));
    let instant = Instant::from_nanos(1_999_999_999);
    assert_eq!((instant.as_millis(), instant.as_micros()), (1_999, 1_999_999));
    assert_eq!(Instant::from_secs(2), Instant::from_millis(2_000));
    assert_eq!(Instant::from_micros(2), Instant::from_nanos(2_000));
    assert!(Duration::ZERO.is_zero() && !Duration::from_nanos(1).is_zero());
}

#[test]
fn conversions_to_core_keep_every_nanosecond_and_saturate_back() {
    let core = core::time::Duration::from(Duration::from_nanos(1_000_000_007));
    assert_eq!((core.as_secs(), core.subsec_nanos()), (1, 7));
    assert_eq!(Duration::from(core), Duration::from_nanos(1_000_000_007));
    assert_eq!(Duration::from(core::time::Duration::MAX), Duration::MAX);
    assert_eq!(core::time::Duration::from(Duration::MAX).as_nanos(), u128::from(u64::MAX));
}

#[test]
fn times_are_shown_in_units_that_people_read() {
    assert_eq!(Duration::from_micros(12_345).to_string(), "12.345 ms");
    assert_eq!(Duration::from_nanos(5_000).to_string(), "0.005 ms");
    assert_eq!(Instant::from_micros(12_045_678).to_string(), "12.045678");
}

#[cfg(feature = "fugit")]
#[test]
fn conversions_to_fugit_go_both_ways() {
    let fugit = fugit::NanosDurationU64::from(Duration::from_micros(3));
    assert_eq!(fugit.as_ticks(), 3_000);
    assert_eq!(Duration::from(fugit), Duration::from_micros(3));
}

#[cfg(feature = "testing")]
mod testing {
    use core::cell::Cell;

    use mirage_clock::testing::{MockClock, examine_monotonic, examine_wall};
    use mirage_clock::{Duration, Instant, Monotonic, Timestamp, Wall};

    #[test]
    fn the_clock_of_tests_stands_still_until_it_is_moved_and_never_goes_back() {
        let clock = MockClock::new();
        assert_eq!((clock.now(), clock.now()), (Instant::ZERO, Instant::ZERO));
        clock.advance(Duration::from_secs(2));
        clock.advance_to(Instant::from_secs(1));
        assert_eq!(clock.now(), Instant::from_secs(2));
        clock.advance_to(Instant::from_secs(3));
        assert_eq!(clock.now(), Instant::from_secs(3));
    }

    #[test]
    fn the_wall_moves_with_the_clock_and_can_jump() {
        let clock = MockClock::new();
        clock.set_wall(1_000);
        clock.advance(Duration::from_millis(2_500));
        assert_eq!(clock.timestamp(), Some(Timestamp { seconds: 1_002, nanos: 500_000_000 }));
        clock.set_wall(-10);
        assert_eq!(clock.timestamp(), Some(Timestamp { seconds: -8, nanos: 500_000_000 }));
    }

    #[test]
    fn the_clock_of_tests_passes_the_exams() {
        let clock = MockClock::new();
        examine_monotonic(&&clock);
        examine_wall(&&clock);
    }

    #[test]
    #[should_panic(expected = "went back")]
    fn the_exam_finds_a_clock_that_goes_back() {
        struct Back(Cell<u64>);
        impl Monotonic for Back {
            fn now(&self) -> Instant {
                self.0.set(self.0.get() + 1);
                Instant::from_nanos(self.0.get() % 100)
            }
            fn resolution(&self) -> Duration {
                Duration::from_nanos(1)
            }
        }
        examine_monotonic(&Back(Cell::new(0)));
    }
}
