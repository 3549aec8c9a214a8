//! HyStart++, acknowledgement by acknowledgement.

use mirage_clock::Duration;
use mirage_congestion::{Ack, HyStart};
use proptest::prelude::*;

const MSS: u32 = 1000;

/// A round of `samples` round trips of `micros`; what the last acknowledgement gave.
fn round(hystart: &mut HyStart, samples: u32, micros: u64) -> Option<u32> {
    let mut grown = None;
    for sample in 0..samples {
        grown = hystart.grow(&ack(sample == 0, micros));
        grown?;
    }
    grown
}

fn ack(round: bool, micros: u64) -> Ack {
    Ack { delivered: 2 * MSS, rtt: Some(Duration::from_micros(micros)), round, ..Ack::default() }
}

#[test]
fn it_is_small() {
    assert!(size_of::<HyStart>() <= 16);
}

#[test]
fn the_window_grows_by_what_arrives_while_round_trips_stay_short() {
    let mut hystart = HyStart::new();
    for _ in 0..20 {
        assert_eq!(round(&mut hystart, 20, 50_000), Some(2 * MSS));
    }
}

#[test]
fn eight_longer_round_trips_slow_growth_to_a_quarter() {
    let mut hystart = HyStart::new();
    round(&mut hystart, 8, 80_000);
    assert_eq!(round(&mut hystart, 8, 90_000), Some(2 * MSS / 4), "by an eighth");
    assert!(hystart.is_slowed());
}

#[test]
fn seven_longer_round_trips_are_not_enough() {
    let mut hystart = HyStart::new();
    round(&mut hystart, 8, 80_000);
    assert_eq!(round(&mut hystart, 7, 200_000), Some(2 * MSS));
}

#[test]
fn one_short_round_trip_among_long_ones_shows_that_there_is_no_queue() {
    let mut hystart = HyStart::new();
    round(&mut hystart, 8, 80_000);
    hystart.grow(&ack(true, 81_000));
    for _ in 0..20 {
        assert_eq!(hystart.grow(&ack(false, 200_000)), Some(2 * MSS));
    }
}

#[test]
fn longer_means_at_least_four_and_at_most_sixteen_milliseconds() {
    for (before, short, long) in [(10_000, 13_999, 14_000), (80_000, 89_999, 90_000), (400_000, 415_999, 416_000)] {
        let mut hystart = HyStart::new();
        round(&mut hystart, 8, before);
        let mut other = hystart;
        round(&mut other, 8, short);
        assert!(!other.is_slowed(), "{short} after {before}");
        round(&mut hystart, 8, long);
        assert!(hystart.is_slowed(), "{long} after {before}");
    }
}

#[test]
fn five_slow_rounds_end_slow_start() {
    let mut hystart = HyStart::new();
    round(&mut hystart, 8, 50_000);
    round(&mut hystart, 8, 70_000);
    for _ in 0..4 {
        assert_eq!(round(&mut hystart, 8, 75_000), Some(2 * MSS / 4));
    }
    assert_eq!(round(&mut hystart, 8, 75_000), None);
}

#[test]
fn shorter_round_trips_make_growth_fast_again() {
    let mut hystart = HyStart::new();
    round(&mut hystart, 8, 50_000);
    round(&mut hystart, 8, 70_000);
    assert!(hystart.is_slowed());
    assert_eq!(round(&mut hystart, 8, 60_000), Some(2 * MSS));
    assert_eq!(round(&mut hystart, 8, 60_000), Some(2 * MSS));
    round(&mut hystart, 8, 70_000);
    assert!(hystart.is_slowed(), "and may be slowed again");
}

#[test]
fn all_that_arrived_counts_however_few_acknowledgements_told_of_it() {
    let mut hystart = HyStart::new();
    let many = Ack { delivered: 40 * MSS, ..ack(false, 50_000) };
    assert_eq!(hystart.grow(&many), Some(40 * MSS));
}

proptest! {
    /// Whatever the round trips, growth is at most what arrived, and slow start can end only in a new round.
    #[test]
    fn growth_is_bounded(acks in proptest::collection::vec((any::<u32>(), any::<bool>(), any::<Option<u64>>()), 0..300)) {
        let mut hystart = HyStart::new();
        for (delivered, round, nanos) in acks {
            let ack = Ack { delivered, round, rtt: nanos.map(Duration::from_nanos), ..Ack::default() };
            match hystart.grow(&ack) {
                Some(bytes) => prop_assert!(bytes <= delivered),
                None => {
                    prop_assert!(round);
                    hystart = HyStart::default();
                }
            }
        }
    }
}
