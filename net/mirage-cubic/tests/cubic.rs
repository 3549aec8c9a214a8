//! CUBIC, event by event.

use mirage_clock::{Duration, Instant};
use mirage_congestion::{Ack, Congestion, Flight, Memory, Signal};
use mirage_cubic::Cubic;
use proptest::prelude::*;

const MSS: u32 = 1000;
const START: Instant = Instant::from_secs(100);

fn flight(bytes: u32) -> Flight {
    Flight { bytes, delivered: 0, window_limited: true }
}

fn ack(bytes: u32, round: bool, rtt: Duration) -> Ack {
    let flight = flight(10 * MSS);
    Ack { acked: bytes, delivered: bytes, flight, rtt: Some(rtt), srtt: rtt, min_rtt: rtt, round, ..Ack::default() }
}

/// A sender that always fills its window, on a path that never changes.
struct Driver {
    cubic: Cubic,
    now: Instant,
    rtt: Duration,
}

impl Driver {
    /// After a loss with a window of `segments`.
    fn after_loss(segments: u32, rtt: Duration) -> Self {
        let mut cubic = Cubic::new(MSS, segments);
        cubic.on_congestion(START, Signal::Loss, &flight(segments * MSS));
        Self { cubic, now: START, rtt }
    }

    /// A window is sent and acknowledged, two segments at one time.
    fn round(&mut self) {
        let acks = (self.cubic.window() / (2 * MSS)).max(1);
        for index in 0..acks {
            self.now += self.rtt / u64::from(acks);
            self.cubic.on_ack(self.now, &ack(2 * MSS, index == 0, self.rtt));
        }
    }

    /// Round trips until `until` seconds have passed.
    fn run_until(&mut self, until: f64) {
        while self.seconds() < until {
            self.round();
        }
    }

    fn seconds(&self) -> f64 {
        self.now.since(START).as_micros() as f64 / 1e6
    }

    fn segments(&self) -> f64 {
        f64::from(self.cubic.window()) / f64::from(MSS)
    }
}

#[test]
fn it_is_small() {
    assert!(size_of::<Cubic>() <= 64);
}

#[test]
fn it_starts_with_ten_segments_or_fewer_large_ones() {
    assert_eq!(Cubic::new(1460, 10).window(), 14_600);
    assert_eq!(Cubic::new(8960, 10).window(), 17_920);
    let mut scaled = Cubic::new(1460, 10);
    scaled.set_mss(536);
    assert_eq!(scaled.window(), 5_360);
    assert_eq!(scaled.ssthresh(), u32::MAX);
    scaled.on_syn_lost();
    assert_eq!(scaled.window(), 536);
}

#[test]
fn a_loss_leaves_seven_tenths_and_two_segments_at_least() {
    let driver = Driver::after_loss(100, Duration::from_millis(50));
    assert_eq!((driver.cubic.window(), driver.cubic.ssthresh()), (70 * MSS, 70 * MSS));
    let driver = Driver::after_loss(2, Duration::from_millis(50));
    assert_eq!((driver.cubic.window(), driver.cubic.ssthresh()), (2 * MSS, 2 * MSS));
}

#[test]
fn marks_leave_one_segment_at_least() {
    let mut cubic = Cubic::new(MSS, 2);
    for expected in [1400, MSS, MSS] {
        cubic.on_congestion(START, Signal::Mark, &flight(MSS));
        assert_eq!((cubic.window(), cubic.ssthresh()), (expected, 2 * MSS));
    }
}

/// RFC 9438 figure 1: W_cubic(t) = C · (t − K)³ + W_max.
#[test]
fn the_window_follows_the_formula_within_half_a_percent() {
    for (w_max, rtt) in [(300.0, 100), (1000.0, 100), (5000.0, 200), (20_000.0, 50)] {
        let mut driver = Driver::after_loss(w_max as u32, Duration::from_millis(rtt));
        let k = (w_max * 0.3 / 0.4_f64).cbrt();
        for step in 1..30 {
            driver.run_until(k * f64::from(step) / 15.0);
            let formula = 0.4 * (driver.seconds() - k).powi(3) + w_max;
            let off = (driver.segments() - formula).abs() / formula;
            assert!(off < 0.005, "{w_max}, {:.2} s: {:.1}, not {formula:.1}", driver.seconds(), driver.segments());
        }
    }
}

#[test]
fn the_plateau_is_reached_after_k() {
    let mut driver = Driver::after_loss(1000, Duration::from_millis(100));
    // K = ∛(300 / 0.4) = 9.09 s; a percent before the plateau the curve is (10 / 0.4)^⅓ = 2.92 s away from it.
    driver.run_until(9.09 - 2.92 - 0.2);
    assert!(driver.segments() < 990.0, "{}", driver.segments());
    driver.run_until(9.09 - 2.92 + 0.2);
    assert!(driver.segments() > 990.0, "{}", driver.segments());
    driver.run_until(9.09 + 2.92 + 0.2);
    assert!((1009.0..1015.0).contains(&driver.segments()), "{}", driver.segments());
}

#[test]
fn growth_in_a_round_trip_is_half_the_window_at_most() {
    let mut driver = Driver::after_loss(20, Duration::from_secs(20));
    let before = driver.segments();
    driver.round();
    assert!(driver.segments() <= before * 1.5 + 1.0, "{}", driver.segments());
}

/// RFC 9438 §4.3: nine seventeenths of a segment each round trip, and a whole one above where the window had been.
#[test]
fn where_reno_would_be_faster_the_window_grows_as_reno_does() {
    let mut driver = Driver::after_loss(40, Duration::from_millis(5));
    driver.round();
    let start = driver.segments();
    for rounds in 1..=20 {
        driver.round();
        assert!((driver.segments() - start - f64::from(rounds) * 9.0 / 17.0).abs() < 0.1, "{}", driver.segments());
    }
    while driver.segments() < 40.0 {
        driver.round();
    }
    let before = driver.segments();
    for _ in 0..10 {
        driver.round();
    }
    assert!((driver.segments() - before - 10.0).abs() < 0.1, "{}", driver.segments());
}

#[test]
fn one_acknowledgement_for_each_round_trip_is_enough() {
    let mut cubic = Cubic::new(MSS, 1000);
    cubic.on_congestion(START, Signal::Loss, &flight(1000 * MSS));
    let rtt = Duration::from_millis(100);
    let mut now = START;
    while now < START + Duration::from_secs(9) {
        now += rtt;
        cubic.on_ack(now, &ack(cubic.window(), true, rtt));
    }
    assert!(cubic.window() > 980 * MSS, "{}", cubic.window());
}

#[test]
fn a_window_that_shrinks_again_makes_room_for_others() {
    let mut driver = Driver::after_loss(1000, Duration::from_millis(100));
    driver.run_until(1.0);
    let before = driver.cubic.window();
    driver.cubic.on_congestion(driver.now, Signal::Loss, &flight(before));
    assert_eq!(driver.cubic.window(), before / 10 * 7 + before % 10 * 7 / 10);
    // The plateau is now at 85 % of the window, not at all of it: K = ∛(0.15 · W / 0.4).
    let w_max = f64::from(before) / f64::from(MSS) * 0.85;
    let k = (w_max * (1.0 - 0.7 / 0.85) / 0.4).cbrt();
    let end = driver.seconds() + k;
    driver.run_until(end);
    assert!((driver.segments() - w_max).abs() < 0.02 * w_max, "{} and {w_max}", driver.segments());
}

#[test]
fn time_in_which_the_window_was_not_used_does_not_count() {
    let (mut busy, mut lazy) =
        (Driver::after_loss(1000, Duration::from_millis(100)), Driver::after_loss(1000, Duration::from_millis(100)));
    busy.run_until(6.0);
    lazy.run_until(3.0);
    let before = lazy.cubic.window();
    for _ in 0..50 {
        lazy.now += Duration::from_millis(100);
        let flight = Flight { window_limited: false, ..flight(MSS) };
        lazy.cubic.on_ack(lazy.now, &Ack { flight, ..ack(2 * MSS, true, lazy.rtt) });
    }
    assert_eq!(lazy.cubic.window(), before);
    lazy.run_until(11.0);
    assert!(
        (busy.segments() - lazy.segments()).abs() < 0.01 * busy.segments(),
        "{} and {}",
        busy.segments(),
        lazy.segments()
    );
}

#[test]
fn silence_does_not_count() {
    let mut driver = Driver::after_loss(1000, Duration::from_millis(100));
    driver.run_until(3.0);
    let before = driver.segments();
    driver.now += Duration::from_secs(60);
    driver.cubic.on_sent(driver.now, MSS, &Flight { bytes: 0, ..flight(0) });
    driver.round();
    driver.round();
    assert!(driver.segments() - before < 0.02 * before, "from {before} to {}", driver.segments());
}

#[test]
fn without_a_full_window_nothing_grows() {
    for mut cubic in [Cubic::new(MSS, 10), Driver::after_loss(100, Duration::from_millis(50)).cubic] {
        let before = cubic.window();
        for step in 0..100 {
            let flight = Flight { window_limited: false, ..flight(MSS) };
            let rtt = Duration::from_millis(50);
            cubic.on_ack(START + rtt * step, &Ack { flight, ..ack(2 * MSS, true, rtt) });
        }
        assert_eq!(cubic.window(), before);
    }
}

#[test]
fn during_recovery_nothing_grows() {
    let mut driver = Driver::after_loss(100, Duration::from_millis(50));
    for _ in 0..100 {
        driver.cubic.on_ack(driver.now, &Ack { recovering: true, ..ack(2 * MSS, true, driver.rtt) });
    }
    assert_eq!(driver.cubic.window(), 70 * MSS);
}

#[test]
fn a_timeout_starts_again_with_one_segment_up_to_seven_tenths() {
    let mut driver = Driver::after_loss(200, Duration::from_millis(200));
    driver.cubic.on_timeout(driver.now, &flight(0), false);
    assert_eq!((driver.cubic.window(), driver.cubic.ssthresh()), (MSS, 98 * MSS));
    driver.cubic.on_timeout(driver.now, &flight(0), true);
    assert_eq!((driver.cubic.window(), driver.cubic.ssthresh()), (MSS, 98 * MSS));
    for _ in 0..49 {
        driver.cubic.on_ack(driver.now, &Ack { recovering: true, ..ack(2 * MSS, false, driver.rtt) });
    }
    assert_eq!(driver.cubic.window(), 98 * MSS, "slow start ends there");
    // RFC 9438 §4.8: then K is 0: the curve turns up at once.
    driver.now += driver.rtt;
    let start = driver.seconds();
    driver.run_until(start + 6.0);
    let formula = 0.4 * (driver.seconds() - start).powi(3) + 98.0;
    assert!((driver.segments() - formula).abs() < 0.05 * formula, "{} and {formula}", driver.segments());
}

#[test]
fn a_mistaken_loss_is_undone() {
    let (mut driver, mut other) =
        (Driver::after_loss(1000, Duration::from_millis(100)), Driver::after_loss(1000, Duration::from_millis(100)));
    driver.run_until(4.0);
    let (window, ssthresh) = (driver.cubic.window(), driver.cubic.ssthresh());
    let before = driver.cubic.memory();
    driver.cubic.on_congestion(driver.now, Signal::Loss, &flight(window));
    driver.cubic.undo(driver.now, &before);
    assert_eq!((driver.cubic.window(), driver.cubic.ssthresh()), (window, ssthresh));
    driver.run_until(8.0);
    other.run_until(8.0);
    assert_eq!(driver.cubic.window(), other.cubic.window(), "as if nothing had been");
}

#[test]
fn a_mistake_is_undone_once() {
    let mut driver = Driver::after_loss(1000, Duration::from_millis(100));
    driver.run_until(1.0);
    let window = driver.cubic.window();
    let before = driver.cubic.memory();
    driver.cubic.on_timeout(driver.now, &flight(0), false);
    driver.cubic.on_timeout(driver.now, &flight(0), true);
    driver.cubic.undo(driver.now, &before);
    assert_eq!(driver.cubic.window(), window);
    driver.cubic.undo(driver.now, &Memory::NOTHING);
    assert_eq!(driver.cubic.window(), window);
}

#[test]
fn the_first_slow_start_goes_on_after_a_mistake() {
    let mut cubic = Cubic::new(MSS, 10);
    let before = cubic.memory();
    cubic.on_congestion(START, Signal::Loss, &flight(10 * MSS));
    cubic.undo(START, &before);
    assert_eq!((cubic.window(), cubic.ssthresh()), (10 * MSS, u32::MAX));
    cubic.on_ack(START, &ack(2 * MSS, true, Duration::from_millis(50)));
    assert_eq!(cubic.window(), 12 * MSS);
}

#[test]
fn longer_round_trips_end_the_first_slow_start() {
    let mut cubic = Cubic::new(MSS, 10);
    let mut now = START;
    let mut rounds = 0;
    while cubic.ssthresh() == u32::MAX {
        for index in 0..10 {
            let rtt = Duration::from_millis(if rounds < 3 { 50 } else { 70 });
            now += Duration::from_millis(5);
            cubic.on_ack(now, &ack(2 * MSS, index == 0, rtt));
        }
        rounds += 1;
        assert!(rounds < 20);
    }
    // Three fast rounds, the rest of the fourth and four more a quarter as fast, then the fifth ends it.
    assert_eq!(rounds, 9);
    let window = cubic.window();
    for _ in 0..10 {
        now += Duration::from_millis(70);
        cubic.on_ack(now, &ack(window, true, Duration::from_millis(70)));
    }
    assert!((5 * MSS..=11 * MSS).contains(&(cubic.window() - window)), "a segment each round trip, as Reno");
}

#[test]
fn after_idling_it_returns_to_three_quarters_by_slow_start() {
    let mut driver = Driver::after_loss(200, Duration::from_millis(50));
    driver.cubic.on_idle(driver.now, Duration::from_secs(3));
    assert_eq!((driver.cubic.window(), driver.cubic.ssthresh()), (10 * MSS, 140 * MSS));
    for _ in 0..4 {
        driver.round();
    }
    assert_eq!(driver.cubic.window(), 140 * MSS);
}

#[derive(Clone, Debug)]
enum Event {
    Wait(u64),
    Sent(u32),
    Ack { acked: u32, delivered: u32, limited: bool, recovering: bool, round: bool, rtt: Option<u64>, srtt: u64 },
    Congestion(bool),
    Timeout(bool),
    Undo,
    Idle,
    Mss(u32),
    SynLost,
}

fn event() -> impl Strategy<Value = Event> {
    let ack =
        (any::<u32>(), any::<u32>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<Option<u64>>(), any::<u64>());
    prop_oneof![
        8 => ack.prop_map(|(acked, delivered, limited, recovering, round, rtt, srtt)| {
            Event::Ack { acked, delivered: delivered >> (srtt & 31), limited, recovering, round, rtt, srtt: srtt >> (srtt & 63) }
        }),
        4 => any::<u64>().prop_map(|nanos| Event::Wait(nanos >> (nanos & 63))),
        2 => any::<u32>().prop_map(Event::Sent),
        1 => any::<bool>().prop_map(Event::Congestion),
        1 => any::<bool>().prop_map(Event::Timeout),
        1 => Just(Event::Undo),
        1 => Just(Event::Idle),
        1 => any::<u32>().prop_map(Event::Mss),
        1 => Just(Event::SynLost),
    ]
}

proptest! {
    /// Whatever happens, a byte may be sent, a loss never opens the window, and nothing overflows.
    #[test]
    fn any_order_of_events_leaves_a_window(events in proptest::collection::vec(event(), 0..300), mss in any::<u32>()) {
        let mut cubic = Cubic::new(mss, 10);
        let mut now = START;
        let mut memory = Memory::NOTHING;
        let mut segment = mss.clamp(1, 65_535);
        for event in events {
            let before = cubic.window();
            if matches!(event, Event::Congestion(_) | Event::Timeout(false)) {
                memory = cubic.memory();
            }
            match event {
                Event::Wait(nanos) => now += Duration::from_nanos(nanos),
                Event::Sent(bytes) => cubic.on_sent(now, 1, &flight(bytes & 1)),
                Event::Ack { acked, delivered, limited, recovering, round, rtt, srtt } => {
                    let rtt = rtt.map(Duration::from_nanos);
                    let flight = Flight { window_limited: limited, ..flight(MSS) };
                    let srtt = Duration::from_nanos(srtt);
                    let ack = Ack { acked, delivered, flight, recovering, round, rtt, srtt, ..Ack::default() };
                    cubic.on_ack(now, &ack);
                }
                Event::Congestion(mark) => {
                    cubic.on_congestion(now, if mark { Signal::Mark } else { Signal::Loss }, &flight(MSS));
                    prop_assert!(cubic.window() <= before.max(2 * 65_535));
                }
                Event::Timeout(again) => cubic.on_timeout(now, &flight(MSS), again),
                Event::Undo => cubic.undo(now, &memory),
                Event::Idle => cubic.on_idle(now, Duration::from_secs(1)),
                Event::Mss(mss) => {
                    cubic.set_mss(mss);
                    segment = mss.clamp(1, 65_535);
                }
                Event::SynLost => cubic.on_syn_lost(),
            }
            prop_assert!(cubic.window() >= segment);
            prop_assert!(cubic.ssthresh() > 0);
        }
    }
}
