//! How connections end (RFC 9293 §3.6).

use core::task::Poll;

use mirage_flow::Direction;
use mirage_stack::ErrorKind;
use mirage_tiny::ConnectionId;

use crate::bench::{Bench, ms, s};

fn end(bench: &mut Bench, id: ConnectionId) {
    bench.host.shutdown(id, Direction::Write).expect("it is open");
    bench.transmit();
}

fn close(bench: &mut Bench, id: ConnectionId) {
    bench.host.close(id);
    bench.transmit();
}

#[test]
fn we_end_first_and_remember() {
    let (mut bench, id) = Bench::established();
    end(&mut bench, id);
    bench.says(&["FA 1+0 a1 w8000"]);
    bench.tell("A 1+0 a2 w8000");
    // The peer goes on.
    bench.tell_together(&["A 1+100 a2 w8000", "A 101+100 a2 w8000"]);
    bench.says(&["A 2+0 a201 w7800"]);
    bench.reads(id, 1, 201);
    bench.tell("FA 201+0 a2 w8000");
    bench.says(&["A 2+0 a202 w7799"]);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
    close(&mut bench, id);
    bench.says(&[]);
    assert_eq!(bench.host.connections(), 1, "TIME-WAIT");
    bench.pass(s(60));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn the_peer_ends_first_and_nothing_is_left() {
    let (mut bench, id) = Bench::established();
    bench.tell("FA 1+0 a1 w8000");
    bench.says(&["A 1+0 a2 w7999"]);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
    bench.write(id, 1, 10);
    bench.says(&["A 1+10 a2 w7999"]);
    bench.tell("A 2+0 a11 w8000");
    close(&mut bench, id);
    bench.says(&["FA 11+0 a2 w7999"]);
    bench.tell("A 2+0 a12 w8000");
    assert_eq!(bench.host.connections(), 0);
    bench.says(&[]);
}

#[test]
fn both_end_at_once() {
    let (mut bench, id) = Bench::established();
    end(&mut bench, id);
    bench.says(&["FA 1+0 a1 w8000"]);
    bench.tell("FA 1+0 a1 w8000");
    bench.says(&["A 2+0 a2 w7999"]);
    bench.tell("A 2+0 a2 w8000");
    close(&mut bench, id);
    assert_eq!(bench.host.connections(), 1, "TIME-WAIT");
    bench.pass(s(60));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn one_segment_answers_the_end_and_ends() {
    let (mut bench, id) = Bench::established();
    end(&mut bench, id);
    bench.said();
    bench.tell("FA 1+100 a2 w8000");
    bench.says(&["A 2+0 a102 w7899"]);
    bench.reads(id, 1, 101);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

#[test]
fn what_was_written_goes_before_the_end() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 2_500);
    close(&mut bench, id);
    bench.says(&["A 1+1000 a1 w8000", "A 1001+1000 a1 w8000", "FA 2001+500 a1 w8000"]);
    bench.tell("FA 1+0 a2502 w8000");
    bench.says(&["A 2502+0 a2 w7999"]);
    bench.pass(s(60));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn an_end_that_comes_twice_is_acknowledged_twice() {
    let (mut bench, id) = Bench::established();
    for _ in 0..3 {
        bench.tell("FA 1+100 a1 w8000");
        bench.says(&["A 1+0 a102 w7899"]);
    }
    bench.reads(id, 1, 101);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

#[test]
fn an_end_that_overtakes_waits_for_what_is_before_it() {
    let (mut bench, id) = Bench::established();
    bench.tell("FA 101+100 a1 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
    assert_eq!(bench.read(id, 1), Poll::Pending);
    bench.tell("FA 201+0 a1 w8000");
    bench.tell("A 1+100 a1 w8000");
    assert_eq!(bench.said().last().expect("answers"), "A 1+0 a202 w7799");
    bench.reads(id, 1, 201);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

/// RFC 2525 §2.17.
#[test]
fn who_closes_without_reading_resets() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+100 a1 w8000");
    close(&mut bench, id);
    bench.says(&["RA 1+0 a101 w7900"]);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn data_for_somebody_who_is_gone_are_reset() {
    let (mut bench, id) = Bench::established();
    close(&mut bench, id);
    bench.says(&["FA 1+0 a1 w8000"]);
    bench.tell("A 1+100 a1 w8000");
    let said = bench.said();
    assert!(said.len() == 1 && said[0].starts_with("RA 2+0 "), "{said:?}");
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn data_nobody_wants_to_read_are_thrown_away() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+8000 a1 w8000");
    bench.said();
    bench.host.shutdown(id, Direction::Read).expect("it is open");
    bench.transmit();
    bench.says(&["A 1+0 a8001 w8000"]);
    assert_eq!(bench.read(id, 10), Poll::Ready(Ok(vec![])));
    for round in 1..20 {
        for half in [1, 4_001] {
            bench.tell(&format!("A {}+4000 a1 w8000", 8_000 * round + half));
        }
    }
    assert_eq!(bench.said().last().expect("answers"), "A 1+0 a160001 w8000");
    // The other direction is alive.
    bench.write(id, 1, 10);
    bench.says(&["A 1+10 a160001 w8000"]);
}

#[test]
fn an_abort_resets() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 10);
    bench.said();
    bench.host.abort(id);
    bench.transmit();
    bench.says(&["RA 11+0 a1 w8000"]);
    assert_eq!(bench.host.connections(), 0);
    assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::Closed)));
}

#[test]
fn an_old_handle_is_no_handle_to_what_came_after() {
    let (mut bench, id) = Bench::established();
    bench.host.abort(id);
    bench.transmit();
    bench.said();
    bench.remote.set_port(4_001);
    let door = bench.host.listen(81, Default::default()).expect("there is room");
    bench.host.close_listener(door);
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.host.abort(id);
    bench.host.close(id);
    bench.transmit();
    bench.says(&[]);
    assert_eq!(bench.host.connections(), 1);
}

#[test]
fn a_reset_ends_all_states() {
    // FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, LAST-ACK, CLOSING.
    let ways: [&[&str]; 5] = [
        &["end"],
        &["end", "A 1+0 a2 w8000"],
        &["FA 1+0 a1 w8000"],
        &["FA 1+0 a1 w8000", "end"],
        &["end", "FA 1+0 a1 w8000"],
    ];
    for way in ways {
        let (mut bench, id) = Bench::established();
        let mut at = 1;
        for step in way {
            if *step == "end" {
                end(&mut bench, id);
            } else {
                bench.tell(step);
                at += u32::from(step.starts_with('F'));
            }
        }
        bench.said();
        bench.tell(&format!("R {at}+0 a0 w0"));
        bench.says(&[]);
        assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::ConnectionReset)), "{way:?}");
        close(&mut bench, id);
        assert_eq!(bench.host.connections(), 0, "{way:?}");
    }
}

#[test]
fn a_peer_that_never_ends_is_forgotten_once_nobody_cares() {
    let (mut bench, id) = Bench::established();
    close(&mut bench, id);
    bench.tell("A 1+0 a2 w8000");
    bench.pass(s(59));
    assert_eq!(bench.host.connections(), 1);
    bench.pass(s(2));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn a_peer_that_never_ends_is_waited_for_while_somebody_reads() {
    let (mut bench, id) = Bench::established();
    end(&mut bench, id);
    bench.tell("A 1+0 a2 w8000");
    bench.pass(s(1_000));
    bench.tell("A 1+10 a2 w8000");
    bench.reads(id, 1, 11);
    // From when nobody cares any more it has its time, however long it was quiet before.
    bench.pass(s(1_000));
    bench.said();
    close(&mut bench, id);
    bench.pass(s(59));
    bench.tell("FA 11+0 a2 w8000");
    bench.says(&["A 2+0 a12 w7989"]);
}

#[test]
fn a_peer_that_never_answers_the_end_is_forgotten() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 10);
    close(&mut bench, id);
    bench.pass(s(61));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn a_peer_that_never_opens_its_window_is_forgotten_once_nobody_cares() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 10);
    close(&mut bench, id);
    for _ in 0..70 {
        bench.pass(s(1));
        if !bench.said().is_empty() {
            bench.tell("A 1+0 a1 w0");
        }
    }
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn nothing_can_be_written_behind_the_end() {
    let (mut bench, id) = Bench::established();
    end(&mut bench, id);
    let cx = core::task::Context::from_waker(core::task::Waker::noop());
    assert_eq!(bench.host.poll_write(id, &cx, b"more"), Poll::Ready(Err(ErrorKind::Closed)));
    end(&mut bench, id);
    bench.says(&["FA 1+0 a1 w8000"]);
}

#[test]
fn what_has_come_can_be_read_after_the_end_of_all() {
    let (mut bench, id) = Bench::established();
    end(&mut bench, id);
    bench.tell("FA 1+100 a2 w8000");
    bench.pass(s(100));
    bench.reads(id, 1, 101);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
    close(&mut bench, id);
    assert_eq!(bench.host.connections(), 0);
    bench.pass(ms(1));
}

/// A place for a waker that is lost would be found by the one who waits in vain, or is woken for nothing.
#[test]
fn who_waited_leaves_nothing_behind() {
    #[derive(Default)]
    struct Flag(core::sync::atomic::AtomicBool);
    impl std::task::Wake for Flag {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, core::sync::atomic::Ordering::Relaxed);
        }
    }
    let mut bench = Bench::new();
    let door = bench.listen();
    for port in 4_000..4_100 {
        bench.remote.set_port(port);
        let id = bench.open(door);
        bench.write(id, 1, 8_000);
        let cx = core::task::Context::from_waker(core::task::Waker::noop());
        assert!(bench.host.poll_write(id, &cx, b"more").is_pending());
        assert!(bench.read(id, 1).is_pending());
        bench.host.abort(id);
        bench.transmit();
        bench.said();
    }
    let id = bench.open(door);
    bench.write(id, 1, 8_000);
    let flag = std::sync::Arc::new(Flag::default());
    let woken = || flag.0.swap(false, core::sync::atomic::Ordering::Relaxed);
    let waker = core::task::Waker::from(flag.clone());
    let cx = core::task::Context::from_waker(&waker);
    assert!(bench.host.poll_write(id, &cx, b"more").is_pending());
    assert!(!woken(), "there is a place to wait for room");
    bench.tell("A 1+0 a1001 w8000");
    assert!(woken(), "there is room");
    let mut buffer = [0];
    assert!(bench.host.poll_read(id, &cx, &mut buffer).is_pending());
    assert!(!woken(), "there is a place to wait for bytes");
    bench.tell("A 1+10 a1001 w8000");
    assert!(woken(), "there are bytes");
}

#[test]
fn the_end_may_be_said_before_the_beginning() {
    let mut bench = Bench::new();
    let id = bench.connect(&mirage_stack::TcpOptions::default());
    bench.said();
    end(&mut bench, id);
    bench.says(&[]);
    bench.tell("SA 0+0 a1 w8000 m1000");
    bench.says(&["FA 1+0 a1 w8000"]);
    bench.tell("FA 1+10 a2 w8000");
    bench.reads(id, 1, 11);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

#[test]
fn what_was_broken_off_is_nobodys_before_the_device_has_room() {
    let (mut bench, id) = Bench::established();
    bench.wire.full = true;
    bench.host.abort(id);
    assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::Closed)));
    bench.wire.full = false;
    bench.transmit();
    bench.says(&["RA 1+0 a1 w8000"]);

    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.tell("A 1+0 a1 w8000");
    bench.wire.full = true;
    bench.host.close_listener(door);
    let door = bench.listen();
    assert_eq!(bench.accept(door), None);
    bench.wire.full = false;
    bench.transmit();
    bench.says(&["RA 1+0 a1 w8000"]);
}
