//! What the peer is told of what has come.

use core::task::Poll;

use mirage_tiny::Sizes;

use crate::bench::{Bench, ms, sizes};

#[test]
fn a_lone_segment_is_acknowledged_after_a_moment() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+10 a1 w8000");
    bench.reads(id, 1, 11);
    bench.pass(ms(39));
    bench.says(&[]);
    bench.pass(ms(1));
    bench.says(&["A 1+0 a11 w7990"]);
    bench.pass(ms(1_000));
    bench.says(&[]);
}

#[test]
fn every_second_segment_is_acknowledged_at_once() {
    let (mut bench, id) = Bench::established();
    for at in [1, 201, 401] {
        bench.tell(&format!("A {at}+100 a1 w8000"));
        bench.says(&[]);
        bench.tell(&format!("A {}+100 a1 w8000", at + 100));
        bench.reads(id, at, at + 200);
        let [line] = &bench.said()[..] else { panic!("one acknowledgement") };
        assert!(line.starts_with(&format!("A 1+0 a{} ", at + 200)), "{line}");
    }
}

#[test]
fn segments_that_come_together_are_acknowledged_together() {
    let (mut bench, _id) = Bench::established();
    bench.tell_together(&["A 1+1000 a1 w8000", "A 1001+1000 a1 w8000", "A 2001+1000 a1 w8000"]);
    bench.says(&["A 1+0 a3001 w5000"]);
}

#[test]
fn an_acknowledgement_rides_on_data() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+10 a1 w8000");
    bench.write(id, 1, 10);
    bench.says(&["A 1+10 a11 w7990"]);
    bench.pass(ms(100));
    bench.says(&[]);
}

/// RFC 5681 §4.2: one for each, or the peer does not count three.
#[test]
fn each_segment_out_of_order_is_acknowledged_at_once() {
    let (mut bench, id) = Bench::established();
    bench.tell_together(&["A 1001+1000 a1 w8000", "A 2001+1000 a1 w8000", "A 3001+1000 a1 w8000"]);
    bench.says(&["A 1+0 a1 w8000"; 3]);
    assert_eq!(bench.read(id, 10), Poll::Pending);
    // What closes the gap, too.
    bench.tell("A 1+1000 a1 w8000");
    bench.says(&["A 1+0 a4001 w4000"]);
    bench.reads(id, 1, 4_001);
}

#[test]
fn a_gap_that_is_closed_in_part_is_acknowledged_at_once() {
    let (mut bench, id) = Bench::established();
    bench.tell_together(&["A 1001+1000 a1 w8000", "A 3001+1000 a1 w8000"]);
    bench.said();
    bench.tell("A 1+1000 a1 w8000");
    bench.says(&["A 1+0 a2001 w6000"]);
    bench.reads(id, 1, 2_001);
    bench.said();
    bench.tell("A 2001+1000 a1 w8000");
    let said = bench.said();
    assert!(said.len() == 1 && said[0].starts_with("A 1+0 a4001 "), "{said:?}");
    bench.reads(id, 2_001, 4_001);
}

#[test]
fn pieces_come_in_every_order_and_overlap() {
    let pieces = [(1, 300), (200, 300), (450, 10), (455, 200), (600, 400), (1, 700), (900, 101)];
    let mut dice = 1_u64;
    for _ in 0..500 {
        let (mut bench, id) = Bench::established();
        let mut left = pieces.to_vec();
        // Each may come several times: nobody counts on what was not acknowledged.
        while !left.is_empty() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (at, len) = left.swap_remove((dice >> 33) as usize % left.len());
            bench.tell(&format!("A {at}+{len} a1 w8000"));
        }
        for (at, len) in pieces {
            bench.tell(&format!("A {at}+{len} a1 w8000"));
        }
        bench.reads(id, 1, 1_001);
    }
}

#[test]
fn more_gaps_than_can_be_remembered_are_filled_by_what_comes_again() {
    let (mut bench, id) = Bench::established();
    for gap in 0..20 {
        bench.tell(&format!("A {}+100 a1 w8000", 101 + 200 * gap));
    }
    assert_eq!(bench.said(), ["A 1+0 a1 w8000"; 20]);
    for piece in 0..40 {
        bench.tell(&format!("A {}+100 a1 w8000", 1 + 100 * piece));
    }
    bench.reads(id, 1, 4_001);
}

#[test]
fn what_lies_beyond_the_window_is_cut_off() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 7001+1400 a1 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
    for at in 0..7 {
        bench.tell(&format!("A {}+1000 a1 w8000", 1 + 1_000 * at));
    }
    bench.said();
    bench.reads(id, 1, 8_001);
    assert_eq!(bench.read(id, 1), Poll::Pending);
}

#[test]
fn what_lies_wholly_beyond_the_window_is_refused() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 8002+100 a1 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
    assert_eq!(bench.read(id, 1), Poll::Pending);
}

#[test]
fn nothing_is_taken_behind_the_end() {
    let (mut bench, id) = Bench::established();
    bench.tell("FA 1+10 a1 w8000");
    bench.says(&["A 1+0 a12 w7989"]);
    bench.tell("A 12+10 a1 w8000");
    bench.said();
    bench.reads(id, 1, 11);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
    bench.tell("A 12+10 a1 w8000");
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

#[test]
fn buffers_of_one_byte_carry_bytes() {
    let (mut bench, id) = Bench::established_with(Default::default(), Sizes { buffer: 1, ..sizes() });
    for at in 1..100 {
        bench.tell(&format!("A {at}+10 a1 w8000"));
        bench.reads(id, at, at + 1);
        bench.says(&[&format!("A 1+0 a{} w1", at + 1)]);
    }
}

#[test]
fn what_was_acknowledged_at_once_is_not_acknowledged_later() {
    let (mut bench, _id) = Bench::established();
    bench.tell("A 1+10 a1 w8000");
    bench.says(&[]);
    bench.tell("A 101+10 a1 w8000");
    bench.says(&["A 1+0 a11 w7990"]);
    bench.pass(ms(1_000));
    bench.says(&[]);
}
