//! What is lost is sent again (RFC 5681, RFC 6298, RFC 6582, RFC 3042).

use core::task::Poll;

use mirage_stack::{ErrorKind, ListenOptions, TcpOptions};
use mirage_tiny::{ConnectionId, Count, Sizes};

use crate::bench::{Bench, ms, s, sizes};

/// A connection over a path of `trip`, with large windows on both sides.
fn far(trip: u64) -> (Bench, ConnectionId) {
    far_with(trip, ListenOptions::default())
}

fn far_with(trip: u64, options: ListenOptions) -> (Bench, ConnectionId) {
    let mut bench = Bench::with(Sizes { buffer: 60_000, ..sizes() });
    let door = bench.listen_with(options);
    bench.tell("S 0+0 a0 w60000 m1000");
    bench.said();
    bench.pass(ms(trip));
    bench.tell("A 1+0 a1 w60000");
    let id = bench.accept(door).expect("a connection waits");
    (bench, id)
}

/// The numbers of the first bytes of what was said.
fn places(bench: &mut Bench) -> Vec<u32> {
    let places = bench.said().into_iter().map(|line| {
        let place = line.split(' ').nth(1).expect("a place").split('+').next().expect("a number").to_owned();
        place.parse().expect("a number")
    });
    places.collect()
}

fn seconds(from: u32, to: u32) -> Vec<u32> {
    (from..to).map(|number| 1 + 1_000 * number).collect()
}

#[test]
fn a_connection_begins_with_ten_segments_and_grows() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 50_000);
    assert_eq!(places(&mut bench), seconds(0, 10));
    bench.pass(ms(100));
    bench.tell("A 1+0 a2001 w60000");
    assert_eq!(places(&mut bench), seconds(10, 14), "two were acknowledged, four may follow");
    bench.tell("A 1+0 a10001 w60000");
    assert_eq!(places(&mut bench), seconds(14, 24), "no more than two for each acknowledgement");
}

#[test]
fn the_third_duplicate_sends_the_first_again() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 50_000);
    bench.said();
    bench.pass(ms(100));
    bench.tell("A 1+0 a1 w60000");
    assert_eq!(places(&mut bench), seconds(10, 11), "one more for the first");
    bench.tell("A 1+0 a1 w60000");
    assert_eq!(places(&mut bench), seconds(11, 12), "and for the second");
    bench.tell("A 1+0 a1 w60000");
    assert_eq!(places(&mut bench), [1]);
    assert_eq!(bench.count(Count::Resent), 1);
    // Each further one tells that a segment has left the network: half the flight stays in it.
    let mut sent = Vec::new();
    for _ in 0..8 {
        bench.tell("A 1+0 a1 w60000");
        sent.extend(places(&mut bench));
    }
    assert_eq!(sent, seconds(12, 17));
    bench.tell("A 1+0 a12001 w60000");
    assert_eq!(places(&mut bench), seconds(17, 18), "six segments from now on");
}

#[test]
fn each_partial_acknowledgement_sends_the_next_hole() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 10_000);
    bench.said();
    bench.pass(ms(100));
    for _ in 0..3 {
        bench.tell("A 1+0 a1 w60000");
    }
    assert_eq!(places(&mut bench), [1]);
    bench.tell("A 1+0 a3001 w60000");
    assert_eq!(places(&mut bench), [3_001]);
    bench.tell("A 1+0 a6001 w60000");
    assert_eq!(places(&mut bench), [6_001]);
    bench.tell("A 1+0 a10001 w60000");
    assert_eq!(places(&mut bench), []);
    bench.pass(s(100));
    assert_eq!(places(&mut bench), []);
}

#[test]
fn what_is_no_duplicate_is_not_counted() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 10_000);
    bench.said();
    // Data, other windows, and old acknowledgements.
    for line in ["A 1+10 a1 w60000", "A 11+10 a1 w60000", "A 21+0 a1 w59000", "A 21+0 a1 w58000", "A 21+0 a0 w58000"] {
        bench.tell(line);
    }
    assert!(places(&mut bench).iter().all(|place| *place == 10_001));
    assert_eq!(bench.count(Count::Resent), 0);
}

#[test]
fn nothing_in_flight_nothing_is_duplicate() {
    let (mut bench, _id) = far(100);
    for _ in 0..10 {
        bench.tell("A 1+0 a1 w60000");
    }
    bench.says(&[]);
}

#[test]
fn the_first_timeout_follows_from_what_was_measured() {
    for (trip, timeout) in [(0, 200), (10, 200), (100, 300), (900, 2_700)] {
        let (mut bench, id) = far(trip);
        bench.said();
        bench.write(id, 1, 500);
        bench.said();
        bench.pass(ms(timeout - 1));
        bench.says(&[]);
        bench.pass(ms(1));
        bench.says(&["A 1+500 a1 w60000"]);
    }
}

#[test]
fn timeouts_double_until_the_connection_is_given_up() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 500);
    bench.said();
    let start = bench.now;
    bench.pass(s(119));
    let times: Vec<u64> = bench.said_when().iter().map(|(at, _)| at.since(start).as_millis()).collect();
    assert_eq!(times, [300, 900, 2_100, 4_500, 9_300, 18_900, 38_100, 76_500]);
    assert_eq!(bench.read(id, 1), Poll::Pending);
    bench.pass(s(1));
    assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::TimedOut)));
    bench.host.close(id);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn the_patience_of_a_server_is_what_it_says() {
    let tcp = TcpOptions { user_timeout: Some(s(10)), ..TcpOptions::default() };
    let (mut bench, id) = far_with(100, ListenOptions { tcp, ..ListenOptions::default() });
    bench.pass(s(1_000));
    bench.write(id, 1, 500);
    bench.pass(ms(9_900));
    assert_eq!(bench.read(id, 1), Poll::Pending);
    bench.pass(ms(200));
    assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::TimedOut)));
}

#[test]
fn after_a_timeout_everything_goes_again_slowly() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 10_000);
    bench.said();
    bench.pass(ms(300));
    assert_eq!(places(&mut bench), [1]);
    bench.pass(ms(100));
    bench.tell("A 1+0 a1001 w60000");
    assert_eq!(places(&mut bench), [1_001, 2_001]);
    bench.tell("A 1+0 a2001 w60000");
    bench.tell("A 1+0 a3001 w60000");
    assert_eq!(places(&mut bench), seconds(3, 7));
    // The rest has arrived.
    bench.tell("A 1+0 a10001 w60000");
    bench.pass(s(100));
    assert_eq!(places(&mut bench), []);
}

/// RFC 6298 §3: what was sent twice measures nothing, and until there is a measure the timeout stays long. Else a path that
/// becomes slower would be sent everything twice for ever.
#[test]
fn a_path_that_becomes_slow_is_learnt() {
    let (mut bench, id) = far(10);
    let mut at = 1;
    let mut twice = 0;
    for _ in 0..20 {
        bench.write(id, at, 500);
        bench.pass(s(2));
        twice += bench.said().len() - 1;
        at += 500;
        bench.tell(&format!("A 1+0 a{at} w60000"));
    }
    assert!(twice < 8, "sent {twice} segments again");
}

#[test]
fn an_end_that_is_lost_is_sent_again() {
    let (mut bench, id) = far(100);
    bench.host.shutdown(id, mirage_flow::Direction::Write).expect("it is open");
    bench.transmit();
    bench.says(&["FA 1+0 a1 w60000"]);
    bench.pass(ms(300));
    bench.says(&["FA 1+0 a1 w60000"]);
    bench.tell("A 1+0 a2 w60000");
    bench.pass(s(100));
    bench.says(&[]);
}

#[test]
fn an_end_behind_lost_data_goes_with_them() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 1_500);
    bench.host.shutdown(id, mirage_flow::Direction::Write).expect("it is open");
    bench.transmit();
    bench.says(&["A 1+1000 a1 w60000", "FA 1001+500 a1 w60000"]);
    bench.pass(ms(300));
    bench.says(&["A 1+1000 a1 w60000"]);
    bench.tell("A 1+0 a1001 w60000");
    bench.says(&["FA 1001+500 a1 w60000"]);
    bench.tell("A 1+0 a1502 w60000");
    bench.pass(s(100));
    bench.says(&[]);
}

#[test]
fn a_device_that_is_full_loses_nothing() {
    let (mut bench, id) = far(100);
    bench.wire.full = true;
    bench.write(id, 1, 5_000);
    bench.tell("A 1+10 a1 w60000");
    bench.pass(s(1));
    bench.says(&[]);
    bench.wire.full = false;
    bench.transmit();
    assert_eq!(places(&mut bench), seconds(0, 5));
    assert_eq!(bench.count(Count::Resent), 0);
}

#[test]
fn what_was_acknowledged_makes_room() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 8_000);
    assert!(!bench.host.can_write(id));
    bench.tell("A 1+0 a1001 w8000");
    assert!(bench.host.can_write(id));
    bench.write(id, 8_001, 1_000);
}

#[test]
fn a_peer_that_acknowledges_now_and_then_is_kept() {
    let (mut bench, id) = far(100);
    bench.write(id, 1, 10_000);
    for round in 1..10 {
        bench.pass(s(70));
        bench.tell(&format!("A 1+0 a{} w60000", 1 + 1_000 * round));
        assert_eq!(bench.read(id, 1), Poll::Pending);
    }
}

/// Karn's algorithm, where duplicates and no timeout sent it again.
#[test]
fn what_duplicates_sent_again_measures_nothing() {
    let (mut bench, id) = far(250);
    bench.write(id, 1, 10_000);
    bench.pass(ms(250));
    for _ in 0..3 {
        bench.tell("A 1+0 a1 w60000");
    }
    // Late, and yet no sign of a long way.
    bench.pass(ms(400));
    bench.tell("A 1+0 a10001 w60000");
    bench.said();
    bench.write(id, 10_001, 500);
    bench.said();
    bench.pass(ms(749));
    bench.says(&[]);
    bench.pass(ms(1));
    bench.says(&["A 10001+500 a1 w60000"]);
}
