//! The circle of sequence numbers.

use mirage_checksum::SequenceNumber;
use proptest::prelude::*;

#[test]
fn the_order_holds_across_the_wrap() {
    let (last, first) = (SequenceNumber(u32::MAX), SequenceNumber(0));
    assert!(last.before(first) && first.after(last));
    assert!(!first.before(last) && !last.after(first));
    assert_eq!(last + 1, first);
    assert_eq!(first - 1, last);
    assert_eq!(first.since(last), 1);
    assert_eq!(last.signed_since(first), -1);
    assert_eq!(last.latest(first), first);
}

#[test]
fn a_number_is_at_itself_and_neither_before_nor_after() {
    let number = SequenceNumber(7);
    assert!(number.at_or_before(number) && number.at_or_after(number));
    assert!(!number.before(number) && !number.after(number));
}

#[test]
fn a_window_ends_before_its_length() {
    let start = SequenceNumber(u32::MAX - 1);
    assert!(start.in_window(start, 1));
    assert!(SequenceNumber(1).in_window(start, 4));
    assert!(!SequenceNumber(2).in_window(start, 4));
    assert!(!(start - 1).in_window(start, 4));
    assert!(!start.in_window(start, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn up_to_half_the_circle_ahead_is_after(start: u32, steps in 1..=u32::MAX / 2) {
        let (start, mut later) = (SequenceNumber(start), SequenceNumber(start));
        later += steps;
        prop_assert!(start.before(later) && start.at_or_before(later));
        prop_assert!(later.after(start) && later.at_or_after(start));
        prop_assert!(!start.after(later) && !start.at_or_after(later));
        prop_assert_eq!((later.since(start), start.distance_to(later)), (steps, steps));
        prop_assert_eq!(i64::from(later.signed_since(start)), i64::from(steps));
    }
}
