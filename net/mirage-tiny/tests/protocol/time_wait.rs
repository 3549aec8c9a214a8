//! What is remembered of a connection that has ended (RFC 9293 §3.6.1, RFC 1337).

use mirage_flow::Direction;

use crate::bench::{Bench, s};

/// A connection that we have ended first, with the peer's end, 100 bytes behind its beginning.
fn time_wait() -> Bench {
    let (mut bench, id) = Bench::established();
    bench.host.shutdown(id, Direction::Write).expect("it is open");
    bench.transmit();
    bench.tell("FA 1+100 a2 w8000");
    bench.reads(id, 1, 101);
    bench.host.close(id);
    bench.transmit();
    bench.said();
    assert_eq!(bench.host.connections(), 1);
    bench
}

#[test]
fn an_end_that_comes_again_is_acknowledged_and_remembered_anew() {
    let mut bench = time_wait();
    bench.pass(s(59));
    bench.tell("FA 1+100 a2 w8000");
    bench.says(&["A 2+0 a102 w7899"]);
    bench.pass(s(59));
    assert_eq!(bench.host.connections(), 1);
    bench.pass(s(1));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn a_reset_does_not_end_what_guards() {
    let mut bench = time_wait();
    bench.tell("R 102+0 a0 w0");
    bench.says(&[]);
    assert_eq!(bench.host.connections(), 1);
}

#[test]
fn a_new_connection_may_follow_at_once() {
    let mut bench = time_wait();
    bench.tell("S 200+0 a0 w8000 m1000");
    bench.says(&["SA 0+0 a201 w8000 m1460"]);
    bench.tell("A 201+0 a1 w8000");
    bench.says(&[]);
    assert_eq!(bench.host.connections(), 1);
}

#[test]
fn an_old_syn_begins_nothing() {
    let mut bench = time_wait();
    bench.tell("S 50+0 a0 w8000 m1000");
    bench.says(&["A 2+0 a102 w7899"]);
    assert_eq!(bench.host.connections(), 1);
}

#[test]
fn old_data_are_answered() {
    let mut bench = time_wait();
    bench.tell("A 1+50 a2 w8000");
    bench.says(&["A 2+0 a102 w7899"]);
}

#[test]
fn a_new_connection_to_nobody_is_refused() {
    let mut bench = time_wait();
    bench.port = 80;
    let segment = bench.segment("S 200+0 a0 w8000");
    let mut other = segment.clone();
    other.to.set_port(81);
    bench.frame(&other.frame());
    assert_eq!(bench.host.connections(), 1);
    assert_eq!(bench.wire.sent.len(), 1);
    bench.wire.sent.clear();
}

#[test]
fn what_is_remembered_makes_room_for_what_begins() {
    let mut bench = Bench::new();
    let door = bench.listen();
    for port in 4_000..4_020 {
        bench.remote.set_port(port);
        let id = bench.open(door);
        bench.host.shutdown(id, Direction::Write).expect("it is open");
        bench.transmit();
        bench.tell("FA 1+0 a2 w8000");
        bench.host.close(id);
        bench.said();
    }
    assert_eq!(bench.host.connections(), 8);
    bench.pass(s(60));
    assert_eq!(bench.host.connections(), 0);
}
