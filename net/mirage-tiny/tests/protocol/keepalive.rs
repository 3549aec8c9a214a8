//! Whether an idle peer is still there (RFC 9293 §3.8.4).

use core::task::Poll;

use mirage_clock::Duration;
use mirage_stack::{ErrorKind, Keepalive, ListenOptions, TcpOptions};
use mirage_tiny::ConnectionId;

use crate::bench::{Bench, s, sizes};

fn asking() -> (Bench, ConnectionId) {
    let keepalive = Some(Keepalive { after: s(100), interval: s(10), probes: 3 });
    let tcp = TcpOptions { keepalive, ..TcpOptions::default() };
    Bench::established_with(ListenOptions { tcp, ..ListenOptions::default() }, sizes())
}

#[test]
fn a_silent_peer_is_asked_three_times_and_given_up() {
    let (mut bench, id) = asking();
    bench.pass(s(99));
    bench.says(&[]);
    bench.pass(s(2));
    bench.says(&["A 0+0 a1 w8000"]);
    bench.pass(s(20));
    bench.says(&["A 0+0 a1 w8000"; 2]);
    assert_eq!(bench.read(id, 1), Poll::Pending);
    bench.pass(s(10));
    assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::TimedOut)));
    bench.pass(s(1_000));
    bench.says(&[]);
}

#[test]
fn a_peer_that_answers_is_kept() {
    let (mut bench, id) = asking();
    let mut asked = 0;
    for _ in 0..3_000 {
        bench.pass(s(1));
        for line in bench.said() {
            assert_eq!(line, "A 0+0 a1 w8000");
            asked += 1;
            bench.tell("A 1+0 a1 w8000");
        }
    }
    assert!((25..=30).contains(&asked), "asked {asked} times in 3,000 s");
    assert_eq!(bench.read(id, 1), Poll::Pending);
}

#[test]
fn what_is_not_acknowledged_asks_by_itself() {
    let (mut bench, id) = asking();
    bench.pass(s(99));
    bench.write(id, 1, 10);
    bench.pass(s(60));
    assert!(bench.said().iter().all(|line| line.starts_with("A 1+10 ")));
    assert_eq!(bench.read(id, 1), Poll::Pending);
}

#[test]
fn a_peer_that_asks_is_answered() {
    let (mut bench, _id) = Bench::established();
    bench.tell("A 0+0 a1 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
    bench.pass(s(1));
    // Older systems send a byte that was sent before.
    bench.tell("A 0+1 a1 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
}

#[test]
fn it_can_be_turned_on_and_off() {
    let (mut bench, id) = Bench::established();
    bench.host.set_keepalive(id, Some(Keepalive { after: s(5), interval: s(5), probes: 9 }));
    bench.transmit();
    bench.pass(s(6));
    bench.says(&["A 0+0 a1 w8000"]);
    bench.host.set_keepalive(id, None);
    bench.pass(s(1_000));
    bench.says(&[]);
}

#[test]
fn no_patience_at_all_harms_nobody() {
    for probes in [0, 3] {
        let (mut bench, id) = Bench::established();
        let none = Duration::ZERO;
        bench.host.set_keepalive(id, Some(Keepalive { after: none, interval: none, probes }));
        bench.transmit();
        bench.pass(s(1));
        assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::TimedOut)));
        let (mut bench, id) = Bench::established();
        bench.host.set_keepalive(id, Some(Keepalive { after: none, interval: none, probes }));
        bench.write(id, 1, 10);
        bench.pass(s(1));
        bench.said();
        assert_eq!(bench.read(id, 1), Poll::Pending);
    }
}
