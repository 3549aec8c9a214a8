//! Floods: handshakes that nobody finishes, while honest ones come through (RFC 4987).

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::Poll;

use mirage_net::Frame;
use mirage_tiny::{Count, Sizes};

use crate::bench::{Bench, THEIRS, s, sizes};
use crate::wire::{PEER, Segment};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// So many SYNs from everywhere come in.
fn flood(bench: &mut Bench, dice: &mut Dice, count: usize) {
    let pattern = bench.segment("S 0+0 a0 w8000 m1000");
    for number in 0..count {
        let random = dice.next();
        // Not from a network of ours, not from a group.
        let from = Ipv4Addr::from_bits(0x2000_0000 + (random as u32 >> 3));
        let mut segment =
            Segment { from: SocketAddrV4::new(from, 1 + (random >> 40) as u16 % 60_000), ..pattern.clone() };
        segment.seq = (random >> 16) as u32;
        bench.wire.now = bench.now;
        bench.host.input(bench.now, &Frame::new(&segment.frame()), &mut bench.wire);
        if number % 32 == 31 {
            bench.transmit();
        }
    }
    bench.transmit();
    // The answers to those who do not exist.
    bench.wire.sent.clear();
}

#[test]
fn honest_connections_come_through_a_flood() {
    let mut bench = Bench::new();
    let door = bench.listen();
    let mut dice = Dice(1);
    let mut established = 0;
    for round in 0..500_u16 {
        bench.remote = SocketAddrV4::new(PEER, THEIRS + round);
        flood(&mut bench, &mut dice, 100);
        bench.tell("S 0+0 a0 w8000 m1000");
        let said = bench.said();
        assert_eq!(said, ["SA 0+0 a1 w8000 m1460"], "a SYN is answered in a flood");
        // Everything that is remembered of it is displaced before it answers.
        flood(&mut bench, &mut dice, 100);
        bench.tell("A 1+100 a1 w8000");
        let id = bench.accept(door).expect("a cookie finishes the handshake");
        assert_eq!(bench.host.ends(id).1, bench.remote);
        bench.reads(id, 1, 101);
        bench.said();
        bench.write(id, 1, 3_000);
        assert!(bench.said()[0].starts_with("A 1+536 "), "the cookie tells the size of segments, or less");
        bench.host.abort(id);
        bench.transmit();
        bench.wire.sent.clear();
        established += 1;
    }
    assert_eq!(established, 500);
    assert!(bench.host.connections() <= sizes().connections);
    bench.pass(s(61));
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn established_connections_survive_a_flood() {
    let (mut bench, id) = Bench::established();
    bench.write(id, 1, 1_000);
    bench.said();
    flood(&mut bench, &mut Dice(2), 10_000);
    bench.tell("A 1+100 a1001 w8000");
    bench.reads(id, 1, 101);
    bench.write(id, 1_001, 1_000);
    bench.says(&["A 1001+1000 a101 w7900"]);
}

/// When all slots are taken by connections, a flood is thrown away.
#[test]
fn a_flood_takes_no_connection_away() {
    let mut bench = Bench::with(Sizes { connections: 2, ..sizes() });
    let door = bench.listen();
    let first = bench.open(door);
    bench.remote.set_port(4_001);
    let second = bench.open(door);
    flood(&mut bench, &mut Dice(3), 1_000);
    assert_eq!(bench.count(Count::NoRoom), 1_000);
    for id in [first, second] {
        assert_eq!(bench.read(id, 1), Poll::Pending);
    }
}

#[test]
fn a_cookie_is_good_for_a_minute_and_not_for_three() {
    for (after, good) in [(30, true), (60, true), (200, false)] {
        let mut bench = Bench::new();
        let door = bench.listen();
        bench.tell("S 0+0 a0 w8000 m1000");
        bench.said();
        let mut dice = Dice(4);
        for _ in 0..after {
            flood(&mut bench, &mut dice, 20);
            bench.pass(s(1));
        }
        bench.wire.sent.clear();
        bench.tell("A 1+0 a1 w8000");
        assert_eq!(bench.accept(door).is_some(), good, "after {after} seconds");
    }
}

#[test]
fn what_is_no_cookie_begins_nothing() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.tell("S 0+0 a0 w8000 m1000");
    bench.said();
    let mut dice = Dice(5);
    flood(&mut bench, &mut dice, 100);
    let good = bench.segment("A 1+0 a1 w8000");
    for _ in 0..100_000 {
        let forged = Segment { ack: dice.next() as u32, ..good.clone() };
        if forged.ack.wrapping_sub(1) & !7 != good.ack.wrapping_sub(1) & !7 {
            bench.host.input(bench.now, &Frame::new(&forged.frame()), &mut bench.wire);
        }
    }
    // Nor is one of another connection.
    let mut other = good.clone();
    other.from.set_port(4_001);
    bench.frame(&other.frame());
    bench.frame(&Segment { seq: good.seq.wrapping_add(1), ..good.clone() }.frame());
    bench.frame(&Segment { from: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 3), THEIRS), ..good.clone() }.frame());
    assert_eq!(bench.accept(door), None);
    bench.wire.sent.clear();
    bench.frame(&good.frame());
    assert!(bench.accept(door).is_some());
}

/// Without a flood nobody needs cookies, and an old acknowledgement that was held up begins no connection anew.
#[test]
fn an_acknowledgement_that_comes_twice_begins_no_second_connection() {
    let (mut bench, id) = Bench::established();
    bench.host.abort(id);
    bench.transmit();
    bench.said();
    bench.tell("A 1+0 a1 w8000");
    bench.says(&["R 1+0 a0 w0"]);
    assert_eq!(bench.host.connections(), 0);
}

#[test]
fn a_flood_from_our_own_network_keeps_neighbours() {
    let mut bench = Bench::new();
    let door = bench.listen();
    bench.answers = false;
    let pattern = bench.segment("S 0+0 a0 w8000 m1000");
    for round in 0..10_000_u32 {
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 3 + (round % 250) as u8), 5_000);
        bench.frame(&Segment { from, ..pattern.clone() }.frame());
        bench.wire.sent.clear();
    }
    let id = bench.open(door);
    bench.write(id, 1, 10);
    bench.says(&["A 1+10 a1 w8000"]);
}
