//! Each impairment, measured.

#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a test program has std")]

mod common;

use common::{frame, receive_all, receive_now, send};
use mirage_clock::{Duration, Instant};
use mirage_net::{MacAddress, Net, Transmit};
use mirage_vnetif::{Impairments, LaneCounts, Loss, Network, Node, NodeConfig, Recorder, Way};
use proptest::prelude::*;

/// A sender behind these impairments, and a receiver.
fn pair(seed: u64, outbound: Impairments) -> (Network, Node, Node) {
    let mut network = Network::new(seed);
    let a = network.node(NodeConfig { outbound, mtu: 9000, ..NodeConfig::default() });
    let b = network.node(NodeConfig { slots: 100_000, ..NodeConfig::default() });
    (network, a, b)
}

/// Frames with a number in them.
fn numbered(node: &mut Node, number: u32, len: usize) -> Vec<u8> {
    let mut bytes = frame(MacAddress::BROADCAST, node.split().1.mac(), len);
    bytes[14..18].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[14..18].try_into().unwrap())
}

/// Sends `count` frames of `len` bytes, one every `gap`; when and which arrive.
fn run((network, a, b): &mut (Network, Node, Node), count: u32, len: usize, gap: Duration) -> Vec<(Instant, Vec<u8>)> {
    let mut arrived = Vec::new();
    let mut now = network.now();
    for n in 0..=count {
        let last = n == count;
        while let Some(at) = network.next_event().filter(|at| last || *at <= now) {
            network.advance_to(at);
            arrived.extend(receive_all(b).into_iter().map(|frame| (at, frame)));
        }
        network.advance_to(now);
        if !last {
            let bytes = numbered(a, n, len);
            send(a, &bytes).unwrap();
        }
        now += gap;
    }
    arrived
}

fn numbers(arrived: &[(Instant, Vec<u8>)]) -> Vec<u32> {
    arrived.iter().map(|(_, bytes)| number(bytes)).collect()
}

fn outbound(world: &(Network, Node, Node)) -> LaneCounts {
    world.0.counts(world.1.id(), Way::Outbound)
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_perfect_wire_changes_nothing() {
    let mut world = pair(1, Impairments::default());
    assert_eq!(numbers(&run(&mut world, 100, 60, MS)), (0..100).collect::<Vec<_>>());
}

#[test]
fn random_loss_loses_its_share() {
    let mut world = pair(1, Impairments::default().with_loss(Loss::random(0.1)));
    let arrived = run(&mut world, 10_000, 60, MS).len();
    assert!((8_800..9_200).contains(&arrived), "{arrived} of 10,000 at 10 % loss");
    assert_eq!(outbound(&world).lost as usize, 10_000 - arrived);
}

#[test]
fn every_nth_frame_is_lost() {
    let mut world = pair(1, Impairments::default().with_loss(Loss::every_nth(3)));
    assert_eq!(numbers(&run(&mut world, 9, 60, MS)), [0, 1, 3, 4, 6, 7]);
    let mut world = pair(1, Impairments::default().with_loss(Loss::every_nth(0)));
    assert_eq!(run(&mut world, 9, 60, MS).len(), 9);
}

#[test]
fn only_frames_of_some_sizes_are_lost() {
    let mut world = pair(1, Impairments::default().with_loss(Loss::every_nth(1).only(1000..=usize::MAX)));
    assert_eq!(run(&mut world, 5, 999, MS).len(), 5);
    assert_eq!(run(&mut world, 5, 1000, MS).len(), 0);
    let mut world = pair(1, Impairments::default().with_loss(Loss::every_nth(2).only(0..=100)));
    for len in [60, 200, 60, 200] {
        run(&mut world, 1, len, MS);
    }
    assert_eq!(outbound(&world).lost, 1, "only the second small one");
}

#[test]
fn a_blackout_lasts_from_its_beginning_until_before_its_end() {
    let black = Loss::blackout(Instant::from_millis(2), Instant::from_millis(5));
    let mut world = pair(1, Impairments::default().with_loss(black));
    assert_eq!(numbers(&run(&mut world, 8, 60, MS)), [0, 1, 5, 6, 7]);
}

#[test]
fn an_outage_comes_once_after_so_many_bytes() {
    let outage = Loss::outage(500, Duration::from_millis(3));
    let mut world = pair(1, Impairments::default().with_loss(outage));
    assert_eq!(numbers(&run(&mut world, 12, 100, MS)), [0, 1, 2, 3, 4, 8, 9, 10, 11]);
}

#[test]
fn a_delay_is_exact() {
    let mut world = pair(1, Impairments::default().with_delay(Duration::from_millis(30)));
    let arrived = run(&mut world, 3, 60, MS);
    let times: Vec<_> = arrived.iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(times, [30, 31, 32]);
}

#[test]
fn jitter_spreads_the_delay_and_never_changes_the_order() {
    let shaky = Impairments::default().with_delay(MS * 10).with_jitter(MS * 5);
    let mut world = pair(1, shaky);
    let arrived = run(&mut world, 1000, 60, MS * 6);
    assert_eq!(numbers(&arrived), (0..1000).collect::<Vec<_>>());
    let delays: Vec<_> =
        arrived.iter().map(|(at, bytes)| at.since(Instant::ZERO + MS * 6 * number(bytes).into()).as_micros()).collect();
    let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
    assert!((10_000..10_100).contains(least) && (14_900..=15_000).contains(most), "{least} to {most} µs");

    let mut world = pair(1, Impairments::default().with_jitter(MS * 50));
    assert_eq!(numbers(&run(&mut world, 1000, 60, MS)), (0..1000).collect::<Vec<_>>());
}

#[test]
fn a_frame_that_is_held_back_is_overtaken() {
    let mixed = Impairments::default().with_delay(MS).with_reordering(0.1, Duration::from_micros(2500));
    let mut world = pair(1, mixed);
    let order = numbers(&run(&mut world, 1000, 60, MS));
    assert_eq!(order.len(), 1000);
    let held = order.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((60..140).contains(&held), "{held} of 1000 came late");
    assert!((60..140).contains(&outbound(&world).reordered));
}

#[test]
fn duplicates_are_whole_and_counted() {
    let mut world = pair(1, Impairments::default().with_duplication(0.25));
    let order = numbers(&run(&mut world, 4000, 60, MS));
    let doubles = order.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!((900..1100).contains(&doubles), "{doubles} of 4000");
    assert_eq!(outbound(&world).duplicated as usize, doubles);
    assert_eq!(order.len(), 4000 + doubles);
}

#[test]
fn corruption_flips_one_to_three_bits() {
    let mut world = pair(1, Impairments::default().with_corruption(1.0));
    let original = numbered(&mut world.1, 7, 1500);
    let mut flips = [0; 4];
    for _ in 0..300 {
        send(&mut world.1, &original).unwrap();
        world.0.advance_to(Instant::ZERO);
        let damaged = receive_now(&mut world.2).unwrap_or_else(|| original.clone());
        let differ: u32 = damaged.iter().zip(&original).map(|(x, y)| (x ^ y).count_ones()).sum();
        flips[differ as usize] += 1;
    }
    assert!(flips[1..].iter().all(|count| *count > 50), "{flips:?}");
    assert_eq!(outbound(&world).corrupted, 300);
}

#[test]
fn bandwidth_is_kept() {
    // 1250 bytes at 10 Mbit/s take a millisecond.
    let mut world = pair(1, Impairments::default().with_bandwidth(10_000_000, usize::MAX));
    let arrived = run(&mut world, 100, 1250, Duration::ZERO);
    let times: Vec<_> = arrived.iter().map(|(at, _)| at.as_micros()).collect();
    assert_eq!(times, (1..=100).map(|n| n * 1000).collect::<Vec<_>>());
}

#[test]
fn a_queue_that_is_full_drops_the_newest() {
    let mut world = pair(1, Impairments::default().with_bandwidth(10_000_000, 5_000));
    // All at once: one on the line and in the queue as many as fit in 5000 bytes with it.
    assert_eq!(numbers(&run(&mut world, 10, 1250, Duration::ZERO)), [0, 1, 2, 3]);
    assert_eq!(outbound(&world).queue_full, 6);
    let mut world = pair(1, Impairments::default().with_bandwidth(10_000_000, 0));
    assert_eq!(numbers(&run(&mut world, 6, 1250, MS / 2)), [0, 2, 4], "no queue: only an idle line takes a frame");
}

#[test]
fn frames_longer_than_the_links_mtu_vanish() {
    let mut world = pair(1, Impairments::default().with_mtu(1400));
    assert_eq!(run(&mut world, 1, 1414, MS).len(), 1);
    assert_eq!(run(&mut world, 1, 1415, MS).len(), 0);
    assert_eq!(outbound(&world).too_long, 1);
}

#[test]
fn up_to_so_many_bytes_trail_a_frame() {
    let mut world = pair(1, Impairments::default().with_trailing(9));
    let mut lengths = [0; 10];
    for (_, bytes) in run(&mut world, 1000, 60, MS) {
        lengths[bytes.len() - 60] += 1;
    }
    assert!(lengths.iter().all(|count| *count > 50), "{lengths:?}");
}

#[test]
fn the_two_directions_of_a_link_are_impaired_apart() {
    let (mut network, mut a, mut b) = pair(1, Impairments::default());
    network.impair(b.id(), Way::Inbound, Impairments::default().with_loss(Loss::every_nth(1)));
    let (to_b, to_a) = (numbered(&mut a, 0, 60), numbered(&mut b, 0, 60));
    send(&mut a, &to_b).unwrap();
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::ZERO);
    assert_eq!((receive_all(&mut a).len(), receive_all(&mut b).len()), (1, 0));
    assert_eq!(network.counts(b.id(), Way::Inbound).lost, 1);
    assert_eq!(network.counts(b.id(), Way::Outbound).lost, 0);
}

/// Everything that happens in a hostile network of this seed, as a pcap file.
fn trace(seed: u64, idle_neighbour: bool) -> Vec<u8> {
    let hostile = Impairments::default()
        .with_loss(Loss::random(0.1))
        .with_bandwidth(1_000_000, 20_000)
        .with_corruption(0.1)
        .with_trailing(9)
        .with_duplication(0.1)
        .with_delay(MS)
        .with_jitter(MS * 3)
        .with_reordering(0.1, MS * 10);
    let mut world = pair(seed, hostile.clone());
    if idle_neighbour {
        world.0.impair(world.2.id(), Way::Inbound, hostile);
    }
    let recorder = Recorder::new(1 << 24);
    world.0.record(&recorder);
    run(&mut world, 300, 500, MS);
    let mut file = Vec::new();
    recorder.write_pcap(&mut file).unwrap();
    file
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    assert!(trace(5, false) == trace(5, false));
    assert!(trace(5, false) != trace(6, false));
}

#[test]
fn the_luck_of_one_link_does_not_depend_on_another() {
    assert!(trace(5, false) == trace(5, true), "what reaches the switch from one node");
}

proptest! {
    #[test]
    fn frames_are_neither_made_up_nor_lost_uncounted(
        seed: u64,
        loss in 0.0..1.0,
        double in 0.0..1.0,
        reorder in 0.0..1.0,
        bits in 1_000_u64..10_000_000,
        queue in 0_usize..50_000,
        gap in 0_u64..20_000,
    ) {
        let hostile = Impairments::default()
            .with_loss(Loss::random(loss))
            .with_duplication(double)
            .with_bandwidth(bits, queue)
            .with_jitter(MS)
            .with_reordering(reorder, MS);
        let mut world = pair(seed, hostile);
        let arrived = numbers(&run(&mut world, 200, 100, Duration::from_micros(gap)));
        let counts = outbound(&world);
        prop_assert_eq!(counts.sent, 200);
        prop_assert_eq!(arrived.len() as u64, 200 - counts.lost - counts.queue_full + counts.duplicated);
        for n in 0..200 {
            prop_assert!(arrived.iter().filter(|other| **other == n).count() <= 2);
        }
    }
}
