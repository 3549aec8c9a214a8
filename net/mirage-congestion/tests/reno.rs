//! Reno, event by event and on a path.

use mirage_clock::{Duration, Instant};
use mirage_congestion::testing::{Path, Simulation};
use mirage_congestion::{Ack, Congestion, Flight, Memory, Reno, Signal};
use proptest::prelude::*;

const MSS: u32 = 1000;
const NOW: Instant = Instant::from_secs(1);
const BUSY: Flight = Flight { bytes: 10 * MSS, delivered: 0, window_limited: true };

fn ack(bytes: u32) -> Ack {
    Ack { acked: bytes, delivered: bytes, flight: BUSY, ..Ack::default() }
}

#[test]
fn it_is_small() {
    assert!(size_of::<Reno>() <= 28);
}

#[test]
fn it_starts_with_ten_segments_or_fewer_large_ones() {
    assert_eq!(Reno::new(1460, 10).window(), 14_600);
    assert_eq!(Reno::new(8960, 10).window(), 17_920);
    assert_eq!(Reno::new(1460, 4).window(), 5_840);
    let mut scaled = Reno::new(1460, 10);
    scaled.set_mss(536);
    assert_eq!(scaled.window(), 5_360);
    scaled.on_syn_lost();
    assert_eq!(scaled.window(), 536);
}

#[test]
fn slow_start_doubles_the_window_each_round_trip() {
    let mut reno = Reno::new(MSS, 10);
    for _ in 0..5 {
        reno.on_ack(NOW, &ack(2 * MSS));
    }
    assert_eq!(reno.window(), 20 * MSS);
}

#[test]
fn congestion_avoidance_adds_a_segment_each_window() {
    let mut reno = Reno::new(MSS, 10);
    reno.on_congestion(NOW, Signal::Loss, &BUSY);
    assert_eq!(reno.window(), 5 * MSS);
    for _ in 0..4 {
        reno.on_ack(NOW, &ack(MSS));
    }
    assert_eq!(reno.window(), 5 * MSS);
    reno.on_ack(NOW, &ack(MSS));
    assert_eq!(reno.window(), 6 * MSS);
}

#[test]
fn part_of_a_segment_delays_no_growth() {
    let mut reno = Reno::new(MSS, 11);
    reno.on_congestion(NOW, Signal::Loss, &BUSY);
    assert_eq!(reno.window(), 5 * MSS + MSS / 2);
    for segments in [5, 6, 7] {
        for _ in 0..segments {
            assert_eq!(reno.window(), segments * MSS + MSS / 2);
            reno.on_ack(NOW, &ack(MSS));
        }
    }
    assert_eq!(reno.window(), 8 * MSS + MSS / 2);
}

#[test]
fn an_application_that_writes_little_does_not_open_the_window() {
    let mut reno = Reno::new(MSS, 10);
    for _ in 0..100 {
        reno.on_ack(NOW, &Ack { flight: Flight { window_limited: false, ..BUSY }, ..ack(MSS) });
    }
    assert_eq!(reno.window(), 10 * MSS);
}

#[test]
fn a_timeout_starts_again_with_one_segment_and_halves_only_once() {
    let mut reno = Reno::new(MSS, 10);
    reno.on_timeout(NOW, &BUSY, false);
    assert_eq!((reno.ssthresh(), reno.window()), (5 * MSS, MSS));
    reno.on_timeout(NOW, &BUSY, true);
    assert_eq!((reno.ssthresh(), reno.window()), (5 * MSS, MSS));
    reno.on_ack(NOW, &Ack { recovering: true, ..ack(MSS) });
    assert_eq!(reno.window(), 2 * MSS, "slow start, also while there is something to repair");
}

#[test]
fn a_mistake_is_undone_once() {
    let mut reno = Reno::new(MSS, 10);
    let before = reno.memory();
    reno.on_congestion(NOW, Signal::Loss, &BUSY);
    reno.undo(NOW, &before);
    assert_eq!((reno.window(), reno.ssthresh()), (10 * MSS, u32::MAX));
    reno.on_timeout(NOW, &BUSY, false);
    reno.on_timeout(NOW, &BUSY, true);
    reno.undo(NOW, &before);
    assert_eq!((reno.window(), reno.ssthresh()), (10 * MSS, u32::MAX));
    let mut large = Reno::new(MSS, 40);
    let before = large.memory();
    large.on_congestion(NOW, Signal::Mark, &BUSY);
    large.undo(NOW, &before);
    assert_eq!(large.window(), 40 * MSS);
    large.on_idle(NOW, Duration::from_secs(1));
    large.undo(NOW, &Memory::NOTHING);
    assert_eq!(large.window(), 10 * MSS);
}

#[test]
fn after_idling_it_returns_to_three_quarters_by_slow_start() {
    let mut reno = Reno::new(MSS, 40);
    reno.on_congestion(NOW, Signal::Loss, &BUSY);
    assert_eq!(reno.window(), 20 * MSS);
    reno.on_idle(NOW, Duration::from_secs(3));
    assert_eq!(reno.window(), 10 * MSS);
    for _ in 0..5 {
        reno.on_ack(NOW, &ack(2 * MSS));
    }
    assert_eq!(reno.window(), 20 * MSS);
}

/// The windows just before and after each reduction.
fn reductions(simulation: &Simulation<Reno>) -> Vec<(u32, u32)> {
    let points = &simulation.sender(0).points;
    points
        .windows(2)
        .filter(|pair| pair[1].window < pair[0].window)
        .map(|pair| (pair[0].window, pair[1].window))
        .collect()
}

#[test]
fn on_a_path_its_window_is_a_sawtooth() {
    // 50 segments fit into the pipe, 40 into the queue.
    let path = Path { queue: 60_000, ..Path::new(15, Duration::from_millis(40)) };
    let mut simulation = Simulation::<Reno>::of_one(path);
    simulation.run(Duration::from_secs(60));
    let teeth = reductions(&simulation);
    assert!(teeth.len() >= 8, "{teeth:?}");
    for (before, after) in &teeth[1..] {
        assert!((*before / 1448).abs_diff(90) <= 3, "the pipe and the queue are full at {before}");
        assert_eq!(*after, before / 2);
    }
    let points = &simulation.sender(0).points;
    let growths =
        points.windows(2).filter(|pair| pair[1].window > pair[0].window && pair[1].at > Instant::from_secs(2));
    assert!(growths.clone().count() > 300);
    for pair in growths {
        assert_eq!(pair[1].window - pair[0].window, 1448);
    }
}

#[test]
fn two_senders_get_the_same() {
    let path = Path { queue: 60_000, ..Path::new(15, Duration::from_millis(40)) };
    let mut simulation = Simulation::<Reno>::of_one(path);
    simulation.run(Duration::from_secs(20));
    simulation.add(mirage_congestion::testing::Demand::Endless);
    simulation.run(Duration::from_secs(60));
    let before = [0, 1].map(|flow| simulation.sender(flow).acknowledged());
    simulation.run(Duration::from_secs(60));
    let [first, second] = [0, 1].map(|flow| simulation.sender(flow).acknowledged() - before[flow]);
    assert!(first < 2 * second && second < 2 * first, "{first} and {second}");
    assert!((first + second) * 8 / 60 >= 13_500_000, "{first} and {second}");
}

#[derive(Clone, Debug)]
enum Event {
    Ack { acked: u32, delivered: u32, limited: bool, recovering: bool },
    Congestion(bool),
    Timeout(bool),
    Undo,
    Idle,
    Mss(u32),
    SynLost,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0..200_000_u32, 0..200_000_u32, any::<bool>(), any::<bool>())
            .prop_map(|(acked, delivered, limited, recovering)| Event::Ack { acked, delivered, limited, recovering }),
        1 => any::<bool>().prop_map(Event::Congestion),
        1 => any::<bool>().prop_map(Event::Timeout),
        1 => Just(Event::Undo),
        1 => Just(Event::Idle),
        1 => any::<u32>().prop_map(Event::Mss),
        1 => Just(Event::SynLost),
    ]
}

proptest! {
    /// Whatever happens, a byte may be sent, and nothing overflows.
    #[test]
    fn any_order_of_events_leaves_a_window(events in proptest::collection::vec(event(), 0..300), mss in any::<u32>()) {
        let mut reno = Reno::new(mss, 10);
        let mut before = Memory::NOTHING;
        let mut segment = mss.clamp(1, 65_535);
        for event in events {
            if matches!(event, Event::Congestion(_) | Event::Timeout(false)) {
                before = reno.memory();
            }
            match event {
                Event::Ack { acked, delivered, limited, recovering } => {
                    let flight = Flight { window_limited: limited, ..BUSY };
                    reno.on_ack(NOW, &Ack { acked, delivered, flight, recovering, ..Ack::default() });
                }
                Event::Congestion(mark) => reno.on_congestion(NOW, if mark { Signal::Mark } else { Signal::Loss }, &BUSY),
                Event::Timeout(again) => reno.on_timeout(NOW, &BUSY, again),
                Event::Undo => reno.undo(NOW, &before),
                Event::Idle => reno.on_idle(NOW, Duration::from_secs(1)),
                Event::Mss(mss) => {
                    reno.set_mss(mss);
                    segment = mss.clamp(1, 65_535);
                }
                Event::SynLost => reno.on_syn_lost(),
            }
            prop_assert!(reno.window() >= segment);
            prop_assert!(reno.ssthresh() > 0);
        }
    }
}
