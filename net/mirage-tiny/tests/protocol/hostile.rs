//! Everything that may come in a frame: nobody panics, and nothing grows (the tests check arithmetic).

use core::net::SocketAddrV4;

use mirage_net::Frame;
use mirage_stack::{Keepalive, ListenOptions, TcpOptions};
use mirage_tiny::{ConnectionId, ListenerId};

use crate::bench::{Bench, ISS, bytes, ms, s};
use crate::wire::{GATEWAY, PEER, PEER_MAC, Segment, US, arp, datagram, echo, ipv4, resum, transport_sum};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn host() -> (Bench, ListenerId) {
    let mut bench = Bench::new();
    bench.host.bind(53).expect("the port is free");
    let keepalive = Some(Keepalive { after: s(3), interval: s(1), probes: 2 });
    let tcp = TcpOptions { keepalive, ..TcpOptions::default() };
    let door = bench.listen_with(ListenOptions { backlog: 3, tcp });
    (bench, door)
}

fn frames(bench: &Bench) -> Vec<Vec<u8>> {
    let segment = bench.segment("A 1+100 a1 w8000 m1000");
    let quoted = ipv4(US, PEER, 6, &segment.frame()[34..42])[14..].to_vec();
    let mut error = [&[3, 4, 0, 0, 0, 0, 2, 64], &quoted[..]].concat();
    let sum = mirage_checksum::checksum(&error);
    error[2..4].copy_from_slice(&sum.to_be_bytes());
    vec![
        arp(1, (PEER_MAC, PEER), ([0; 6], US)),
        arp(2, (PEER_MAC, GATEWAY), ([0; 6], US)),
        ipv4(PEER, US, 1, &echo(b"0123456789")),
        ipv4(PEER, US, 1, &error),
        datagram(SocketAddrV4::new(PEER, 9), SocketAddrV4::new(US, 53), b"datagram"),
        bench.segment("S 0+0 a0 w8000 m1000").frame(),
        segment.frame(),
    ]
}

#[test]
fn random_frames() {
    let (mut bench, _) = host();
    let mut dice = Dice(1);
    for _ in 0..100_000 {
        let frame: Vec<u8> = (0..dice.below(120)).map(|_| dice.next() as u8).collect();
        bench.host.input(bench.now, &Frame::new(&frame), &mut bench.wire);
    }
    bench.transmit();
}

#[test]
fn frames_of_all_lengths() {
    let (mut bench, _) = host();
    for frame in frames(&bench) {
        for len in 0..frame.len() {
            bench.frame(&frame[..len]);
            // With lengths and checksums that fit.
            if len >= 34 && frame[12] == 8 && frame[13] == 0 {
                let mut cut = frame[..len].to_vec();
                cut[16..18].copy_from_slice(&(len as u16 - 14).to_be_bytes());
                mend(&mut cut);
                bench.frame(&cut);
            }
        }
    }
}

/// Makes all checksums right that there are.
fn mend(frame: &mut [u8]) {
    if frame.len() < 34 || frame[12..14] != [8, 0] || frame[14] != 0x45 {
        return;
    }
    resum(frame);
    let at = match frame[23] {
        1 => 2,
        6 => 16,
        17 => 6,
        _ => return,
    };
    let protocol = frame[23];
    if let Some(payload) = frame.get_mut(34..).filter(|payload| payload.len() > at + 1) {
        payload[at..at + 2].fill(0);
        let sum =
            if protocol == 1 { mirage_checksum::checksum(payload) } else { transport_sum(PEER, US, protocol, payload) };
        payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
}

#[test]
fn frames_with_changes() {
    let (mut bench, door) = host();
    let mut dice = Dice(2);
    let mut held = Vec::new();
    for round in 0..100_000 {
        let good = frames(&bench);
        let mut frame = good[dice.below(good.len())].clone();
        for _ in 0..dice.below(4) {
            let at = dice.below(frame.len());
            frame[at] = dice.pick(&[0, 0xff, 1, 0x80, dice.0 as u8]);
        }
        if dice.below(10) > 0 {
            mend(&mut frame);
        }
        bench.frame(&frame);
        if round % 16 == 0 {
            bench.pass(ms(dice.below(100) as u64));
            held.extend(bench.accept(door));
            if let Some(id) = (held.len() > 4).then(|| held.remove(0)) {
                bench.host.close(id);
            }
        }
        bench.wire.sent.clear();
    }
}

/// What applications do, at random.
fn act(bench: &mut Bench, dice: &mut Dice, door: ListenerId, held: &mut Vec<(ConnectionId, u32)>) {
    if let Some(id) = bench.accept(door) {
        held.push((id, 1));
    }
    if held.is_empty() {
        return;
    }
    let place = dice.below(held.len());
    let (id, written) = &mut held[place];
    let id = *id;
    let cx = core::task::Context::from_waker(core::task::Waker::noop());
    match dice.below(20) {
        0..8 => {
            let _ = bench.read(id, 1 + dice.below(3_000));
        }
        8..15 => {
            let piece = bytes(*written, 1 + dice.below(3_000));
            if let core::task::Poll::Ready(Ok(len)) = bench.host.poll_write(id, &cx, &piece) {
                *written += len as u32;
            }
        }
        15 => drop(bench.host.shutdown(id, mirage_flow::Direction::Write)),
        16 => drop(bench.host.shutdown(id, mirage_flow::Direction::Read)),
        17 => bench.host.set_nodelay(id, dice.below(2) == 0),
        18 if dice.below(4) == 0 => {
            bench.host.abort(id);
            held.swap_remove(place);
        }
        19 if dice.below(4) == 0 => {
            bench.host.close(id);
            held.swap_remove(place);
        }
        _ => {}
    }
    bench.transmit();
}

/// Segments with every flag and every number near something, for connections in every state. A peer that follows along
/// answers now and then, so that connections come far.
#[test]
fn segments_near_everything() {
    for seed in 0..20 {
        let (mut bench, door) = host();
        let mut dice = Dice(100 + seed);
        let mut held: Vec<(ConnectionId, u32)> = Vec::new();
        // What each peer saw last.
        let mut last: Vec<Option<Segment>> = vec![None; 6];
        for _ in 0..10_000 {
            let who = dice.below(last.len());
            let port = 4_000 + who as u16;
            bench.remote.set_port(port);
            let mut segment = bench.segment("A 0+0 a0 w8000");
            if let Some(seen) = &last[who] {
                segment.to.set_port(seen.from.port());
                segment.seq = seen.ack;
                segment.ack =
                    seen.seq.wrapping_add(seen.payload.len() as u32).wrapping_add((seen.flags & 3).count_ones());
            }
            segment.flags = dice.pick(&[16, 16, 16, 16, 16, 17, 2, 2, 18, 4, 20, 1, 0, 24, 63]);
            if segment.flags == 2 && dice.below(3) > 0 {
                segment.seq = ISS;
            }
            let near: [i64; 11] = [0, 0, 0, 0, 0, 0, 1, -1, 1_000, -1_000, 8_000];
            segment.seq = segment.seq.wrapping_add(dice.pick(&near) as u32);
            segment.ack = segment.ack.wrapping_add(dice.pick(&near) as u32);
            segment.window = dice.pick(&[0, 1, 100, 1_000, 8_000, 65_535]);
            segment.payload = bytes(0, dice.pick(&[0, 0, 1, 100, 1_000, 1_460]));
            if segment.flags & 2 != 0 && dice.below(2) == 0 {
                segment.options = vec![2, 4, dice.next() as u8 & 15, dice.next() as u8];
            }
            bench.wire.now = bench.now;
            bench.host.input(bench.now, &Frame::new(&segment.frame()), &mut bench.wire);
            if dice.below(3) == 0 {
                bench.transmit();
            }
            if dice.below(3) == 0 {
                act(&mut bench, &mut dice, door, &mut held);
            }
            if dice.below(30) == 0 && held.len() < 6 {
                let to = SocketAddrV4::new(PEER, port);
                held.extend(bench.host.connect(to, &TcpOptions::default()).ok().map(|id| (id, 1)));
            }
            if dice.below(20) == 0 {
                bench.wire.full = !bench.wire.full && dice.below(4) == 0;
            }
            let span = [0, 1, 50, 300, 2_000, 70_000][dice.below(60).saturating_sub(54)];
            bench.pass(ms(span));
            for (_, frame) in core::mem::take(&mut bench.wire.sent) {
                if let Some(segment) = Segment::parse(&frame)
                    && let Some(place) = segment.to.port().checked_sub(4_000)
                {
                    let resets = segment.flags & 4 != 0;
                    last[usize::from(place)] = Some(segment).filter(|_| !resets);
                }
            }
        }
        // Everything comes to its end once nobody asks for more.
        bench.wire.full = false;
        for (id, _) in held {
            bench.host.close(id);
        }
        bench.host.close_listener(door);
        bench.pass(s(200));
        assert_eq!(bench.host.connections(), 0, "seed {seed}");
        assert_eq!(bench.host.poll_timeout(), mirage_clock::Instant::MAX, "seed {seed}");
        assert!(!bench.host.wants_transmit(), "seed {seed}");
    }
}
