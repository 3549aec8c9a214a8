//! What somebody who sees nothing of a connection can do to it (RFC 5961).

use core::task::Poll;

use mirage_stack::ErrorKind;
use mirage_tiny::Count;

use crate::bench::{Bench, ms};

#[test]
fn a_reset_at_the_very_place_is_believed() {
    let (mut bench, id) = Bench::established();
    bench.tell("R 1+0 a0 w0");
    bench.says(&[]);
    assert_eq!(bench.read(id, 10), Poll::Ready(Err(ErrorKind::ConnectionReset)));
    bench.host.close(id);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn a_reset_elsewhere_in_the_window_is_asked_back() {
    for at in [2, 4_000, 8_000, 8_001] {
        let (mut bench, id) = Bench::established();
        bench.tell(&format!("R {at}+0 a0 w0"));
        bench.says(&["A 1+0 a1 w8000"]);
        assert_eq!(bench.read(id, 10), Poll::Pending);
    }
}

#[test]
fn a_reset_outside_the_window_is_nothing() {
    for at in [0, -1, 8_002, 1_000_000] {
        let (mut bench, id) = Bench::established();
        bench.tell(&format!("R {at}+0 a0 w0"));
        bench.tell(&format!("RA {at}+0 a1 w0"));
        bench.says(&[]);
        assert_eq!(bench.read(id, 10), Poll::Pending);
        assert_eq!(bench.count(Count::Unacceptable), 2);
    }
}

#[test]
fn a_syn_is_asked_back_wherever_it_is() {
    for at in [0, 1, 100, 10_000, -10_000] {
        for flags in ["S", "SA"] {
            let (mut bench, id) = Bench::established();
            bench.tell(&format!("{flags} {at}+0 a1 w8000"));
            bench.says(&["A 1+0 a1 w8000"]);
            assert_eq!(bench.read(id, 10), Poll::Pending);
        }
    }
}

/// RFC 5961 §5.2: "SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT".
#[test]
fn data_that_acknowledge_what_cannot_be_are_not_taken() {
    for ack in [2, 5_000, 1_000_000_000, -8_000] {
        let (mut bench, id) = Bench::established();
        bench.tell(&format!("A 1+10 a{ack} w8000"));
        bench.says(&["A 1+0 a1 w8000"]);
        assert_eq!(bench.read(id, 10), Poll::Pending);
        assert_eq!(bench.count(Count::Unacceptable), 1);
    }
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+10 a-7999 w8000");
    bench.reads(id, 1, 11);
}

#[test]
fn doubtful_segments_are_answered_in_moderation() {
    let (mut bench, _id) = Bench::established();
    for at in 0..1_000 {
        bench.tell(&format!("S {at}+0 a0 w8000"));
    }
    bench.says(&["A 1+0 a1 w8000"]);
    for at in 0..1_000 {
        bench.pass(ms(1));
        bench.tell(&format!("S {at}+0 a0 w8000"));
    }
    let answers = bench.said().len();
    assert!((90..=101).contains(&answers), "{answers} answers in a second");
}

/// That would tell who watches one connection what happens in another.
#[test]
fn one_connection_does_not_use_up_the_answers_of_another() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.open(door);
    for _ in 0..200 {
        bench.tell("S 5+0 a0 w8000");
    }
    bench.said();
    bench.remote.set_port(4_001);
    bench.open(door);
    bench.tell("S 5+0 a0 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
}

#[test]
fn old_data_are_acknowledged_again() {
    let (mut bench, id) = Bench::established();
    bench.tell_together(&["A 1+10 a1 w8000", "A 11+10 a1 w8000"]);
    bench.reads(id, 1, 21);
    bench.said();
    bench.pass(ms(100));
    for line in ["A 1+10 a1 w8000", "A 11+10 a1 w8000", "A 1+20 a1 w8000"] {
        bench.tell(line);
        bench.says(&["A 1+0 a21 w7980"]);
        bench.pass(ms(100));
    }
    assert_eq!(bench.read(id, 10), Poll::Pending);
}

#[test]
fn a_segment_without_acknowledgement_is_nothing() {
    let (mut bench, id) = Bench::established();
    for flags in ["", "F"] {
        let mut segment = bench.segment("A 1+10 a1 w8000");
        segment.flags = if flags == "F" { 1 } else { 0 };
        bench.frame(&segment.frame());
    }
    bench.says(&[]);
    assert_eq!(bench.read(id, 10), Poll::Pending);
}

#[test]
fn a_reset_from_elsewhere_is_nothing() {
    let (mut bench, id) = Bench::established();
    bench.remote.set_port(4_001);
    bench.tell("R 1+0 a0 w0");
    bench.remote.set_port(4_000);
    assert_eq!(bench.read(id, 10), Poll::Pending);
}

#[test]
fn a_reset_ends_a_handshake() {
    let mut bench = Bench::new();
    bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.tell("R 5+0 a0 w0");
    assert_eq!(bench.host.connections(), 1, "not at the place");
    bench.tell("R 1+0 a0 w0");
    assert_eq!(bench.host.connections(), 0);
}
