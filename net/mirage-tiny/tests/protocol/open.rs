//! How connections begin (RFC 9293 §3.5).

use core::task::Poll;

use mirage_stack::{ErrorKind, ListenOptions, TcpOptions};
use mirage_tiny::{Count, Sizes};

use crate::bench::{Bench, THEIRS, bytes, s, sizes};
use crate::wire::PEER;

#[test]
fn a_server_answers_and_accepts() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&["SA 0+0 a1 w8000 m1460"]);
    assert_eq!(bench.accept(door), None, "the handshake is not complete");
    bench.tell("A 1+0 a1 w8000");
    bench.says(&[]);
    let id = bench.accept(door).expect("a connection waits");
    assert_eq!(bench.host.ends(id), (80, core::net::SocketAddrV4::new(PEER, THEIRS)));
    assert_eq!(bench.accept(door), None);
}

#[test]
fn a_client_connects() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.says(&["S 0+0 a0 w8000 m1460"]);
    assert_eq!(bench.connected(id), Poll::Pending);
    bench.tell("SA 0+0 a1 w8000 m1000");
    bench.says(&["A 1+0 a1 w8000"]);
    assert_eq!(bench.connected(id), Poll::Ready(Ok(())));
}

#[test]
fn an_answer_that_is_lost_is_sent_again_and_given_up() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    let start = bench.now;
    bench.pass(s(100));
    let times: Vec<u64> = bench.said_when().iter().map(|(at, _)| at.since(start).as_millis()).collect();
    assert_eq!(times, [0, 1_000, 3_000, 7_000, 15_000, 31_000]);
    assert_eq!(bench.host.connections(), 0);
    // Nobody remembers: what comes is refused.
    bench.tell("A 1+0 a1 w8000");
    bench.says(&["R 1+0 a0 w0"]);
    assert_eq!(bench.accept(door), None);
}

#[test]
fn a_syn_that_comes_twice_is_answered_twice() {
    let mut bench = Bench::new();
    bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&["SA 0+0 a1 w8000 m1460", "SA 0+0 a1 w8000 m1460"]);
    assert_eq!(bench.host.connections(), 1);
}

#[test]
fn another_syn_takes_the_place_of_a_handshake() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.tell("S 100000+0 a0 w8000 m1000");
    let said = bench.said();
    assert!(said.len() == 2 && said[1].starts_with("SA 0+0 a100001 "), "{said:?}");
    bench.tell("A 100001+0 a1 w8000");
    bench.says(&[]);
    assert!(bench.accept(door).is_some());
    assert_eq!(bench.host.connections(), 1);
}

#[test]
fn a_syn_that_is_not_answered_is_sent_again_and_given_up() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    let start = bench.now;
    bench.pass(s(119));
    assert_eq!(bench.connected(id), Poll::Pending);
    let times: Vec<u64> = bench.said_when().iter().map(|(at, _)| at.since(start).as_secs()).collect();
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63]);
    bench.pass(s(1));
    assert_eq!(bench.connected(id), Poll::Ready(Err(ErrorKind::TimedOut)));
    bench.host.close(id);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn the_patience_of_a_client_is_what_it_says() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions { user_timeout: Some(s(10)), ..TcpOptions::default() });
    bench.pass(s(9));
    assert_eq!(bench.connected(id), Poll::Pending);
    bench.pass(s(1));
    assert_eq!(bench.connected(id), Poll::Ready(Err(ErrorKind::TimedOut)));
}

#[test]
fn a_client_is_refused() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.said();
    bench.tell("R 0+0 a0 w0");
    bench.tell("RA 0+0 a7 w0");
    bench.says(&[]);
    assert_eq!(bench.connected(id), Poll::Pending, "a reset that does not acknowledge the SYN");
    bench.tell("RA 0+0 a1 w0");
    assert_eq!(bench.connected(id), Poll::Ready(Err(ErrorKind::ConnectionRefused)));
    bench.says(&[]);
}

/// RFC 9293 §3.5.2, figure 9: an old connection of the peer's is cleared away.
#[test]
fn an_answer_to_something_else_is_reset() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.said();
    bench.tell("SA 0+0 a2 w8000");
    bench.says(&["R 2+0 a0 w0"]);
    bench.tell("A 300+0 a0 w8000");
    bench.says(&["R 0+0 a0 w0"]);
    assert_eq!(bench.connected(id), Poll::Pending);
    bench.tell("SA 0+0 a1 w8000");
    bench.says(&["A 1+0 a1 w8000"]);
}

#[test]
fn both_open_at_once() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.said();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&["SA 0+0 a1 w8000 m1460"]);
    assert_eq!(bench.connected(id), Poll::Pending);
    bench.tell("SA 0+0 a1 w8000 m1000");
    assert_eq!(bench.connected(id), Poll::Ready(Ok(())));
    bench.said();
    bench.write(id, 1, 10);
    bench.says(&["A 1+10 a1 w8000"]);
}

#[test]
fn both_open_at_once_and_the_peer_only_acknowledges() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.said();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.tell("A 1+100 a1 w8000");
    assert_eq!(bench.connected(id), Poll::Ready(Ok(())));
    bench.reads(id, 1, 101);
}

#[test]
fn a_client_that_goes_while_both_open_says_so() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.host.close(id);
    bench.transmit();
    bench.says(&["RA 1+0 a1 w8000"]);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn an_attempt_that_is_dropped_leaves_nothing() {
    let mut bench = Bench::new();
    let id = bench.connect(&TcpOptions::default());
    bench.said();
    bench.host.close(id);
    assert_eq!(bench.host.connections(), 0);
    bench.tell("SA 0+0 a1 w8000 m1000");
    bench.says(&["R 1+0 a0 w0"]);
}

#[test]
fn what_nobody_listens_for_is_refused() {
    let mut bench = Bench::new();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&["RA 0+0 a1 w0"]);
    bench.tell("S 0+10 a0 w8000 m1000");
    bench.says(&["RA 0+0 a11 w0"]);
    bench.tell("A 5+10 a77 w8000");
    bench.says(&["R 77+0 a0 w0"]);
    bench.tell("R 0+0 a0 w0");
    bench.tell("RA 0+0 a0 w0");
    bench.says(&[]);
    assert_eq!(bench.count(Count::NoConnection), 5);
}

#[test]
fn a_listener_refuses_what_begins_nothing() {
    let mut bench = Bench::new();
    bench.listen();
    bench.tell("A 1+0 a1 w8000");
    bench.says(&["R 1+0 a0 w0"]);
    bench.tell("SA 0+0 a1 w8000");
    bench.says(&["R 1+0 a0 w0"]);
    bench.tell("SF 0+0 a0 w8000");
    bench.tell("R 0+0 a0 w0");
    bench.tell("F 0+0 a0 w0");
    let said = bench.said();
    assert!(said.iter().all(|line| line.starts_with('R')), "{said:?}");
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn data_with_a_syn_come_again() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    let mut syn = bench.segment("S 0+0 a0 w8000 m1000");
    syn.payload = bytes(1, 10);
    bench.frame(&syn.frame());
    bench.says(&["SA 0+0 a1 w8000 m1460"]);
    bench.tell("A 1+10 a1 w8000");
    let id = bench.accept(door).expect("a connection waits");
    bench.reads(id, 1, 11);
}

#[test]
fn the_first_data_may_come_with_the_acknowledgement() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.tell("FA 1+10 a1 w8000");
    bench.said();
    let id = bench.accept(door).expect("a connection waits");
    bench.reads(id, 1, 11);
    assert_eq!(bench.read(id, 1), Poll::Ready(Ok(vec![])));
}

#[test]
fn segments_are_no_larger_than_the_peer_takes() {
    let cases = [("", 536), (" m1000", 1_000), (" m9000", 1_460), (" m1", 88), (" m0", 88)];
    for (option, largest) in cases {
        let mut bench = Bench::new();
        let door = bench.listen();
        bench.tell(&format!("S 0+0 a0 w8000{option}"));
        bench.said();
        bench.tell("A 1+0 a1 w8000");
        let id = bench.accept(door).expect("a connection waits");
        bench.said();
        bench.write(id, 1, 3_000);
        let first = format!("A 1+{largest} a1 w8000");
        assert_eq!(bench.said()[0], first);
    }
}

#[test]
fn options_that_make_no_sense_harm_nobody() {
    let options: [(&[u8], usize); 8] = [
        (&[0, 0, 0, 0], 536),
        (&[1, 1, 1, 1, 2, 4, 2, 88], 600),
        (&[2, 3, 4, 5], 536),
        (&[2, 0, 4, 5], 536),
        (&[8, 1, 2, 4], 536),
        (&[3, 200, 1, 1], 536),
        (&[8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 2, 88, 0, 0], 600),
        (&[1, 1, 1, 2], 536),
    ];
    for (option, largest) in options {
        let mut bench = Bench::new();
        let door = bench.listen();
        let mut syn = bench.segment("S 0+0 a0 w8000");
        syn.options = option.to_vec();
        bench.frame(&syn.frame());
        bench.said();
        bench.tell("A 1+0 a1 w8000");
        let id = bench.accept(door).expect("a connection waits");
        bench.said();
        bench.write(id, 1, 3_000);
        assert_eq!(bench.said()[0], format!("A 1+{largest} a1 w8000"), "{option:?}");
    }
}

#[test]
fn a_connection_beyond_the_backlog_waits_with_its_peer() {
    let mut bench = Bench::new();
    let door = bench.listen_with(ListenOptions { backlog: 1, ..ListenOptions::default() });
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.tell("A 1+0 a1 w8000");
    bench.said();
    bench.remote.set_port(4_001);
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&["SA 0+0 a1 w8000 m1460"]);
    bench.tell("A 1+0 a1 w8000");
    bench.tell("A 1+10 a1 w8000");
    bench.says(&[]);
    assert_eq!(bench.count(Count::NoRoom), 2);
    let first = bench.accept(door).expect("a connection waits");
    assert_eq!(bench.host.ends(first).1.port(), THEIRS);
    assert_eq!(bench.accept(door), None);
    bench.tell("A 1+10 a1 w8000");
    let second = bench.accept(door).expect("there is room now");
    bench.reads(second, 1, 11);
}

#[test]
fn connections_are_accepted_in_their_order() {
    let mut bench = Bench::new();
    let door = bench.listen();
    let ports = [4_003, 4_001, 4_002];
    for port in ports {
        bench.remote.set_port(port);
        bench.tell("S 0+0 a0 w8000 m1000");
        bench.said();
        bench.tell("A 1+0 a1 w8000");
        bench.pass(s(1));
    }
    for port in ports {
        let id = bench.accept(door).expect("a connection waits");
        assert_eq!(bench.host.ends(id).1.port(), port);
    }
}

#[test]
fn a_listener_that_goes_resets_those_who_wait() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.tell("A 1+0 a1 w8000");
    bench.said();
    bench.host.close_listener(door);
    bench.transmit();
    bench.says(&["RA 1+0 a1 w8000"]);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn a_listener_that_goes_forgets_handshakes() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    bench.host.close_listener(door);
    assert_eq!(bench.host.connections(), 0);
    bench.tell("A 1+0 a1 w8000");
    bench.says(&["R 1+0 a0 w0"]);
}

#[test]
fn a_host_without_slots_says_so() {
    let mut bench = Bench::with(Sizes { connections: 1, ..sizes() });
    let door = bench.listen();
    let id = bench.open(door);
    assert_eq!(bench.host.connect(bench.remote, &TcpOptions::default()), Err(ErrorKind::OutOfResources));
    bench.remote.set_port(4_001);
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&[]);
    assert_eq!(bench.count(Count::NoRoom), 1);
    bench.host.abort(id);
    bench.transmit();
    bench.wire.sent.clear();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.says(&["SA 0+0 a1 w8000 m1460"]);
}

#[test]
fn a_port_is_taken_once_and_can_be_had_again() {
    let mut bench = Bench::new();
    let door = bench.listen();
    assert_eq!(bench.host.listen(80, ListenOptions::default()), Err(ErrorKind::AddressInUse));
    let any = bench.host.listen(0, ListenOptions::default()).expect("there is room");
    assert!(bench.host.listener_port(any) >= 49_152);
    assert_eq!(bench.host.listen(81, ListenOptions::default()), Err(ErrorKind::OutOfResources));
    bench.host.close_listener(door);
    bench.listen();
}

#[test]
fn segments_that_make_no_sense_are_counted() {
    let mut bench = Bench::new();
    bench.listen();
    let syn = bench.segment("S 0+0 a0 w8000").frame();
    // Too short, a header longer than the segment, one shorter than a header, a wrong checksum.
    let mut cases = vec![];
    for at in [46, 46, 50] {
        let mut frame = syn.clone();
        frame[at] = [0x60, 0x40, frame[50] ^ 1][cases.len()];
        cases.push(frame);
    }
    for (number, frame) in cases.iter_mut().enumerate() {
        if number < 2 {
            let payload = &mut frame[34..];
            payload[16..18].fill(0);
            let sum = crate::wire::transport_sum(PEER, crate::wire::US, 6, payload);
            payload[16..18].copy_from_slice(&sum.to_be_bytes());
        }
        bench.frame(frame);
        assert_eq!(bench.count(Count::Tcp), number as u64 + 1);
    }
    let mut segment = bench.segment("S 0+0 a0 w8000");
    segment.from.set_port(0);
    bench.frame(&segment.frame());
    assert_eq!(bench.count(Count::Tcp), 4, "no port");
    bench.says(&[]);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn an_acknowledgement_of_something_else_completes_no_handshake() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    for ack in [-1, 0, 2, 5_000] {
        bench.tell(&format!("A 1+0 a{ack} w8000"));
        let [line] = &bench.said()[..] else { panic!("one reset") };
        assert_eq!(*line, format!("R {}+0 a0 w0", ack as u32));
        assert_eq!(bench.accept(door), None);
    }
    bench.tell("A 1+0 a1 w8000");
    assert!(bench.accept(door).is_some());
}

#[test]
fn what_a_listener_wants_its_connections_have() {
    let tcp = TcpOptions { nodelay: true, ..TcpOptions::default() };
    let (mut bench, id) = Bench::established_with(ListenOptions { tcp, ..ListenOptions::default() }, sizes());
    bench.write(id, 1, 10);
    bench.write(id, 11, 10);
    bench.says(&["A 1+10 a1 w8000", "A 11+10 a1 w8000"]);
}
