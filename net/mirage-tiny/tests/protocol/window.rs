//! Windows that close, open and are small, on either side (RFC 9293 §3.8.6).

use core::task::Poll;

use mirage_stack::ErrorKind;

use crate::bench::{Bench, ms, s};

/// The times between what was said, in milliseconds.
fn gaps(bench: &mut Bench) -> Vec<u64> {
    let times: Vec<_> = bench.said_when().into_iter().map(|(at, _)| at).collect();
    times.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).collect()
}

#[test]
fn a_closed_window_is_probed() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 5_000);
    bench.says(&[]);
    let start = bench.now;
    bench.pass(s(30));
    let said = bench.said_when();
    assert!(said.len() > 3);
    assert!(said.iter().all(|(_, line)| line == "A 1+1 a1 w8000"), "one byte each: {said:?}");
    let first = said[0].0.since(start);
    assert!(first >= ms(200) && first <= s(1), "after {first:?}");
}

#[test]
fn probes_become_rare() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 5_000);
    bench.pass(s(100));
    let gaps = gaps(&mut bench);
    assert!(gaps.windows(2).all(|pair| pair[1] == 2 * pair[0] || pair[1] == 60_000), "{gaps:?}");
}

#[test]
fn a_peer_that_answers_probes_is_waited_for() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 5_000);
    for _ in 0..1_000 {
        bench.pass(s(1));
        if !bench.said().is_empty() {
            bench.tell("A 1+0 a1 w0");
        }
    }
    bench.tell("A 1+0 a1 w8000");
    bench.says(&[
        "A 1+1000 a1 w8000",
        "A 1001+1000 a1 w8000",
        "A 2001+1000 a1 w8000",
        "A 3001+1000 a1 w8000",
        "A 4001+1000 a1 w8000",
    ]);
}

#[test]
fn a_peer_that_does_not_answer_probes_is_given_up() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 5_000);
    bench.pass(s(119));
    assert_eq!(bench.read(id, 1), Poll::Pending);
    bench.pass(s(2));
    assert_eq!(bench.read(id, 1), Poll::Ready(Err(ErrorKind::TimedOut)));
}

#[test]
fn a_peer_that_takes_probes_gets_all() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 3);
    for at in 1..=3 {
        bench.pass(s(2));
        let said = bench.said();
        assert_eq!(said[0], format!("A {at}+1 a1 w8000"));
        bench.tell(&format!("A 1+0 a{} w0", at + 1));
        bench.said();
    }
    bench.pass(s(200));
    bench.says(&[]);
}

#[test]
fn what_opens_after_probes_has_a_timer_of_its_own() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 500);
    bench.pass(s(14));
    assert!(bench.said().len() >= 3, "probes");
    // Just before the next one.
    let due = bench.host.poll_timeout().since(bench.now);
    bench.pass(due.saturating_sub(ms(10)));
    bench.said();
    bench.tell("A 1+0 a1 w8000");
    bench.says(&["A 1+500 a1 w8000"]);
    bench.pass(ms(150));
    bench.says(&[]);
    bench.tell("A 1+0 a501 w8000");
    bench.pass(s(100));
    bench.says(&[]);
}

/// An acknowledgement from behind a closed window would be thrown away.
#[test]
fn what_comes_is_acknowledged_while_the_window_is_closed() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 500);
    bench.pass(ms(300));
    bench.says(&["A 1+1 a1 w8000"]);
    bench.tell_together(&["A 1+100 a1 w0", "A 101+100 a1 w0"]);
    bench.says(&["A 1+0 a201 w7800"]);
}

#[test]
fn a_small_window_is_not_filled_at_once() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w100");
    bench.write(id, 1, 500);
    bench.says(&[]);
    bench.pass(ms(300));
    bench.says(&["A 1+100 a1 w8000"]);
    bench.tell("A 1+0 a101 w100");
    bench.says(&[]);
    bench.pass(ms(300));
    bench.says(&["A 101+100 a1 w8000"]);
}

#[test]
fn what_filled_a_small_window_and_was_lost_is_sent_again() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w100");
    bench.write(id, 1, 500);
    bench.pass(ms(300));
    bench.says(&["A 1+100 a1 w8000"]);
    bench.pass(s(30));
    let said = bench.said();
    assert!(said.len() > 2 && said.iter().all(|line| line == "A 1+100 a1 w8000"), "{said:?}");
}

#[test]
fn a_window_that_opens_a_little_is_asked_again() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w0");
    bench.write(id, 1, 500);
    bench.pass(ms(300));
    bench.says(&["A 1+1 a1 w8000"]);
    bench.tell("A 1+0 a1 w50");
    bench.says(&[]);
    bench.pass(s(5));
    let said = bench.said();
    assert!(!said.is_empty() && said.iter().all(|line| line == "A 1+50 a1 w8000"), "{said:?}");
}

#[test]
fn half_of_the_largest_window_is_worth_a_segment() {
    let (mut bench, id) = Bench::established_with(Default::default(), crate::bench::sizes());
    bench.tell("A 1+0 a1 w8000");
    bench.write(id, 1, 8_000);
    bench.said();
    // All that fits in the window was sent; it stays closed for the rest.
    bench.tell("A 1+0 a8001 w400");
    bench.write(id, 8_001, 1_000);
    bench.says(&[]);
    bench.tell("A 1+0 a8001 w4000");
    bench.says(&["A 8001+1000 a1 w8000"]);
}

#[test]
fn small_writes_are_collected() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 10);
    bench.says(&["A 1+10 a1 w8000"]);
    bench.write(id, 11, 10);
    bench.write(id, 21, 10);
    bench.says(&[]);
    bench.tell("A 1+0 a11 w8000");
    bench.says(&["A 11+20 a1 w8000"]);
    bench.write(id, 31, 990);
    bench.says(&[]);
    bench.write(id, 1_021, 20);
    bench.says(&["A 31+1000 a1 w8000"]);
}

#[test]
fn small_writes_leave_at_once_where_that_is_wanted() {
    let (mut bench, id) = Bench::established();
    bench.host.set_nodelay(id, true);
    for at in 0..5 {
        bench.write(id, 1 + 10 * at, 10);
        bench.says(&[&format!("A {}+10 a1 w8000", 1 + 10 * at)]);
    }
}

#[test]
fn the_end_is_not_collected() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 10);
    bench.said();
    bench.write(id, 11, 10);
    bench.says(&[]);
    bench.host.shutdown(id, mirage_flow::Direction::Write).expect("it is open");
    bench.transmit();
    bench.says(&["FA 11+10 a1 w8000"]);
}

#[test]
fn nothing_leaves_beyond_the_window() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 1+0 a1 w2500");
    bench.write(id, 1, 8_000);
    bench.says(&["A 1+1000 a1 w8000", "A 1001+1000 a1 w8000"]);
    bench.tell("A 1+0 a1001 w2500");
    bench.says(&["A 2001+1000 a1 w8000"]);
}

#[test]
fn our_window_closes_and_opens_by_something_worth_it() {
    let (mut bench, id) = Bench::established();
    for at in 0..8 {
        bench.tell(&format!("A {}+1000 a1 w8000", 1 + 1_000 * at));
    }
    assert_eq!(bench.said().last().expect("acknowledgements"), "A 1+0 a8001 w0");
    bench.tell("A 8001+1 a1 w8000");
    bench.says(&["A 1+0 a8001 w0"]);
    assert_eq!(bench.read(id, 900), Poll::Ready(Ok(crate::bench::bytes(1, 900))));
    bench.says(&[]);
    assert_eq!(bench.read(id, 100), Poll::Ready(Ok(crate::bench::bytes(901, 100))));
    bench.says(&["A 1+0 a8001 w1000"]);
    bench.reads(id, 1_001, 8_001);
    bench.says(&["A 1+0 a8001 w8000"]);
}

/// RFC 9293 §3.8.6: "A TCP receiver SHOULD NOT shrink the window".
#[test]
fn our_window_never_moves_back() {
    let (mut bench, id) = Bench::established();
    let mut edge = 8_001;
    let mut at = 1;
    let mut read = 1;
    for step in 0..200_u32 {
        let len = (step * 37 % 900 + 1).min(edge - at);
        bench.tell(&format!("A {at}+{len} a1 w8000"));
        at += len;
        let count = (step * 53 % 800).min(at - read);
        if count > 0 {
            assert_eq!(bench.read(id, count as usize), Poll::Ready(Ok(crate::bench::bytes(read, count as usize))));
            read += count;
        }
        for line in bench.said() {
            let number =
                |letter| line.split(letter).nth(1).expect("a number").split(' ').next().expect("one").parse::<u32>();
            let told = number(" a").expect("a number") + number(" w").expect("a number");
            assert!(told >= edge, "the window's edge went from {edge} back to {told}");
            edge = told;
        }
    }
    assert!(at > 50_000);
}

/// An end right behind a full window takes the number behind it.
#[test]
fn an_end_behind_a_full_window_is_heard() {
    let (mut bench, id) = Bench::established();
    for at in 0..7 {
        bench.tell(&format!("A {}+1000 a1 w8000", 1 + 1_000 * at));
    }
    bench.tell("FA 7001+1000 a1 w8000");
    assert_eq!(bench.said().last().expect("acknowledgements"), "A 1+0 a8002 w0");
    bench.reads(id, 1, 8_001);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

#[test]
fn a_window_that_shrinks_stops_what_was_not_sent() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 4_000);
    bench.said();
    bench.tell("A 1+0 a1001 w1000");
    bench.write(id, 4_001, 1_000);
    bench.says(&[]);
    // What lies beyond was not taken: it goes again.
    bench.pass(ms(300));
    bench.says(&["A 1001+1000 a1 w8000"]);
    bench.tell("A 1+0 a2001 w8000");
    assert_eq!(bench.said()[0], "A 2001+1000 a1 w8000");
}

/// RFC 9293 §3.10.7.4: SND.WL1 and SND.WL2 "prevent using old segments to update the window".
#[test]
fn a_segment_that_was_overtaken_tells_no_window() {
    let (mut bench, id) = Bench::established();
    bench.tell("A 11+10 a1 w5000");
    bench.tell("A 1+10 a1 w0");
    bench.said();
    bench.write(id, 1, 1_000);
    assert_eq!(bench.said().len(), 1, "the window is open");
    bench.tell("A 21+0 a1001 w3000");
    bench.tell("A 21+0 a1 w0");
    bench.write(id, 1_001, 1_000);
    assert_eq!(bench.said().len(), 1, "the window is still open");
    bench.tell("A 21+0 a1001 w0");
    bench.write(id, 2_001, 1_000);
    assert_eq!(bench.said().len(), 0, "now it is closed");
}
