//! BBR, event by event.

use mirage_bbr::Bbr;
use mirage_clock::{Duration, Instant};
use mirage_congestion::{Ack, Congestion, Flight, Memory, Rate, Signal};
use proptest::prelude::*;

const MSS: u32 = 1000;
const RTT: Duration = Duration::from_millis(50);

/// A sender that always fills its window, on a path that delivers `rate` bytes a second.
struct Driver {
    bbr: Bbr,
    now: Instant,
    delivered: u32,
    rate: u64,
    /// The lowest and the highest rate of the last round.
    paced: (u64, u64),
}

impl Driver {
    fn new(rate: u64) -> Self {
        Self { bbr: Bbr::new(MSS, 10), now: Instant::from_secs(100), delivered: 0, rate, paced: (0, 0) }
    }

    /// What the path holds.
    fn pipe(&self) -> u32 {
        (self.rate * RTT.as_millis() / 1000) as u32
    }

    /// A window, or what the rate allows in a round trip, is sent and acknowledged; `lost` percent of it do not arrive.
    fn round(&mut self, lost: u32) {
        self.round_of(10, lost);
    }

    /// The same in so many acknowledgements.
    fn round_of(&mut self, acks: u32, lost: u32) {
        let paced = (self.bbr.pacing_rate().unwrap() * RTT.as_millis() / 1000) as u32;
        let sent = paced.min(self.bbr.window()).max(MSS);
        // What the path does not carry away in time waits.
        let queue = sent.saturating_sub(self.pipe());
        let rtt = RTT + Duration::from_nanos(u64::from(queue) * 1_000_000_000 / self.rate);
        let prior = self.delivered;
        self.paced = (u64::MAX, 0);
        for step in 1..=acks {
            self.now += rtt / u64::from(acks);
            let arrived = sent / acks * (100 - lost) / 100;
            self.delivered = self.delivered.wrapping_add(arrived);
            let so_far = self.delivered.wrapping_sub(prior);
            let rate = Rate {
                delivered: sent / 100 * (100 - lost),
                interval: rtt,
                prior_delivered: if step == 1 { prior } else { prior.wrapping_sub(1) },
                in_flight_when_sent: sent,
                lost: sent / 100 * lost,
                app_limited: false,
            };
            let flight =
                Flight { bytes: sent - so_far.min(sent), delivered: self.delivered, window_limited: paced >= sent };
            self.bbr.on_ack(
                self.now,
                &Ack {
                    acked: arrived,
                    delivered: arrived,
                    lost: sent / acks / 100 * lost,
                    flight,
                    prior: flight.bytes + arrived,
                    rtt: Some(rtt),
                    srtt: rtt,
                    min_rtt: RTT,
                    round: step == 1,
                    recovering: lost > 0,
                    rate: Some(rate),
                },
            );
            let paced = self.bbr.pacing_rate().unwrap();
            self.paced = (self.paced.0.min(paced), self.paced.1.max(paced));
        }
    }

    fn steady(rate: u64) -> Self {
        let mut driver = Self::new(rate);
        for _ in 0..30 {
            driver.round(0);
        }
        driver
    }

    fn flight(&self) -> Flight {
        Flight { bytes: self.pipe(), delivered: self.delivered, window_limited: false }
    }
}

#[test]
fn it_is_small_enough() {
    assert!(size_of::<Bbr>() <= 256);
}

#[test]
fn it_wants_no_proportional_reduction() {
    const { assert!(!Bbr::PROPORTIONAL) };
}

#[test]
fn it_starts_with_ten_segments_at_a_rate_that_grows() {
    let mut bbr = Bbr::new(1460, 10);
    assert_eq!(bbr.window(), 14_600);
    // 2.77 initial windows in a millisecond, as nothing is known of the round trip.
    assert_eq!(bbr.pacing_rate(), Some(14_600_000 * 277 / 100));
    bbr.set_mss(536);
    assert_eq!(bbr.window(), 5_360);
    bbr.on_syn_lost();
    assert_eq!(bbr.window(), 536);
}

#[test]
fn the_first_round_trip_sets_the_rate() {
    let mut bbr = Bbr::new(MSS, 10);
    let ack = Ack { acked: MSS, delivered: MSS, rtt: Some(RTT), srtt: RTT, min_rtt: RTT, ..Ack::default() };
    bbr.on_ack(Instant::from_secs(1), &ack);
    assert_eq!(bbr.pacing_rate(), Some(10_000 * 20 * 277 / 100));
}

#[test]
fn the_rate_comes_to_the_bandwidth_less_a_percent() {
    let mut driver = Driver::steady(10_000_000);
    let mut lowest = u64::MAX;
    let mut highest = 0;
    for _ in 0..100 {
        driver.round(0);
        (lowest, highest) = (lowest.min(driver.paced.0), highest.max(driver.paced.1));
    }
    assert!((8_800_000..=8_950_000).contains(&lowest), "down: 0.9 · 0.99 of it, {lowest}");
    assert!((12_200_000..=12_500_000).contains(&highest), "up: 1.25 · 0.99 of it, {highest}");
}

#[test]
fn the_window_is_two_pipes_at_most_and_a_quarter_when_probing() {
    let mut driver = Driver::steady(10_000_000);
    for _ in 0..100 {
        driver.round(0);
        // Room for three bursts of a millisecond, and what aggregation adds.
        assert!(driver.bbr.window() <= driver.pipe() * 5 / 2 + 50_000, "{}", driver.bbr.window());
    }
}

#[test]
fn losses_without_a_queue_do_not_slow_it_down_and_many_do() {
    for (lost, least, most) in [(4, 900_000, 1_300_000), (20, 0, 700_000)] {
        let mut driver = Driver::steady(1_000_000);
        for _ in 0..40 {
            driver.round(lost);
        }
        let rate = driver.bbr.pacing_rate().unwrap();
        assert!((least..=most).contains(&rate), "{lost} %: {rate}");
    }
}

#[test]
fn a_timeout_leaves_one_segment_and_recovery_gives_the_window_back() {
    let mut driver = Driver::steady(10_000_000);
    let window = driver.bbr.window();
    driver.bbr.on_timeout(driver.now, &driver.flight(), false);
    driver.bbr.on_timeout(driver.now, &driver.flight(), true);
    assert_eq!(driver.bbr.window(), MSS);
    driver.bbr.on_recovered(driver.now, &driver.flight());
    assert_eq!(driver.bbr.window(), window);
}

#[test]
fn a_mistaken_loss_is_undone() {
    let mut driver = Driver::steady(10_000_000);
    let (window, rate) = (driver.bbr.window(), driver.bbr.pacing_rate());
    driver.bbr.on_timeout(driver.now, &driver.flight(), false);
    driver.bbr.undo(driver.now, &Memory::NOTHING);
    assert_eq!((driver.bbr.window(), driver.bbr.pacing_rate()), (window, rate));
}

#[test]
fn startup_goes_on_after_a_mistaken_loss() {
    let mut driver = Driver::new(1_000_000_000);
    for _ in 0..4 {
        driver.round(0);
    }
    driver.bbr.on_congestion(driver.now, Signal::Loss, &driver.flight());
    for _ in 0..2 {
        driver.round(30);
    }
    assert_ne!(driver.bbr.ssthresh(), u32::MAX, "it has left Startup");
    let before = driver.bbr.pacing_rate().unwrap();
    driver.bbr.undo(driver.now, &Memory::NOTHING);
    for _ in 0..4 {
        driver.round(0);
    }
    assert!(driver.bbr.pacing_rate().unwrap() > 4 * before, "{:?} after {before}", driver.bbr.pacing_rate());
}

#[test]
fn a_mark_ends_startup() {
    let mut driver = Driver::new(1_000_000_000);
    for _ in 0..4 {
        driver.round(0);
    }
    driver.bbr.on_congestion(driver.now, Signal::Mark, &driver.flight());
    driver.round(0);
    assert_ne!(driver.bbr.ssthresh(), u32::MAX);
}

#[test]
fn marks_bound_what_is_under_way() {
    let mut driver = Driver::steady(10_000_000);
    for _ in 0..10 {
        driver.bbr.on_congestion(driver.now, Signal::Mark, &driver.flight());
        driver.round(0);
    }
    assert!(driver.bbr.window() < driver.pipe() * 8 / 10, "{} of {}", driver.bbr.window(), driver.pipe());
}

#[test]
fn what_is_acknowledged_in_bursts_needs_a_larger_window() {
    let (mut smooth, mut bursts) = (Driver::steady(10_000_000), Driver::steady(10_000_000));
    for _ in 0..10 {
        smooth.round(0);
        bursts.round_of(1, 0);
    }
    assert!(bursts.bbr.window() > smooth.bbr.window() + smooth.pipe() / 2, "{}", bursts.bbr.window());
}

#[test]
fn an_idle_sender_does_not_resume_with_a_probe() {
    let mut driver = Driver::steady(10_000_000);
    while driver.bbr.pacing_rate().unwrap() < 12_000_000 {
        driver.round(0);
    }
    driver.bbr.on_sent(driver.now, MSS, &Flight { bytes: 0, ..driver.flight() });
    let rate = driver.bbr.pacing_rate().unwrap();
    assert!((9_800_000..=9_950_000).contains(&rate), "{rate}");
}

#[test]
fn an_idle_sender_resumes_at_the_bandwidth_with_its_window() {
    let mut driver = Driver::steady(10_000_000);
    let window = driver.bbr.window();
    driver.now += Duration::from_secs(60);
    driver.bbr.on_idle(driver.now, Duration::from_secs(60));
    driver.bbr.on_sent(driver.now, MSS, &Flight { bytes: 0, ..driver.flight() });
    assert_eq!(driver.bbr.window(), window);
    let rate = driver.bbr.pacing_rate().unwrap();
    assert!((9_800_000..=9_950_000).contains(&rate), "{rate}");
    driver.round(0);
    assert!(driver.bbr.window() > driver.pipe(), "the idle time showed the empty queue: {}", driver.bbr.window());
}

#[derive(Clone, Debug)]
enum Event {
    Wait(u64),
    Sent(u32),
    Ack(Ack),
    Congestion(bool),
    Recovered,
    Timeout(bool),
    Undo,
    Idle,
    Mss(u32),
    SynLost,
}

fn rate() -> impl Strategy<Value = Rate> {
    (any::<u32>(), any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>()).prop_map(
        |(delivered, nanos, prior_delivered, in_flight_when_sent, lost, app_limited)| Rate {
            delivered: delivered >> (nanos & 31),
            interval: Duration::from_nanos((nanos >> (delivered & 63)).max(1)),
            prior_delivered,
            in_flight_when_sent,
            lost: lost >> (prior_delivered & 31),
            app_limited,
        },
    )
}

fn ack() -> impl Strategy<Value = Ack> {
    let flight = (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(bytes, delivered, window_limited)| Flight {
        bytes,
        delivered,
        window_limited,
    });
    let amounts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    (amounts, flight, any::<Option<u64>>(), any::<bool>(), any::<bool>(), proptest::option::of(rate())).prop_map(
        |((acked, delivered, lost, prior), flight, rtt, round, recovering, rate)| {
            let rtt = rtt.map(|nanos| Duration::from_nanos(nanos >> (acked & 63)));
            Ack { acked, delivered, lost, flight, prior, rtt, round, recovering, rate, ..Ack::default() }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => ack().prop_map(Event::Ack),
        4 => any::<u64>().prop_map(|nanos| Event::Wait(nanos >> (nanos & 63))),
        2 => any::<u32>().prop_map(Event::Sent),
        1 => any::<bool>().prop_map(Event::Congestion),
        1 => Just(Event::Recovered),
        1 => any::<bool>().prop_map(Event::Timeout),
        1 => Just(Event::Undo),
        1 => Just(Event::Idle),
        1 => any::<u32>().prop_map(Event::Mss),
        1 => Just(Event::SynLost),
    ]
}

proptest! {
    /// Whatever happens, a byte may be sent at some rate, and nothing overflows.
    #[test]
    fn any_order_of_events_leaves_a_window_and_a_rate(
        events in proptest::collection::vec(event(), 0..300),
        mss in any::<u32>(),
    ) {
        let mut bbr = Bbr::new(mss, 10);
        let mut now = Instant::from_secs(100);
        let mut segment = mss.clamp(1, 65_535);
        for event in events {
            let flight = Flight { bytes: 10 * MSS, delivered: 0, window_limited: true };
            match event {
                Event::Wait(nanos) => now += Duration::from_nanos(nanos),
                Event::Sent(bytes) => bbr.on_sent(now, 1, &Flight { bytes: bytes & 1, ..flight }),
                Event::Ack(ack) => bbr.on_ack(now, &ack),
                Event::Congestion(mark) => {
                    bbr.on_congestion(now, if mark { Signal::Mark } else { Signal::Loss }, &flight);
                }
                Event::Recovered => bbr.on_recovered(now, &flight),
                Event::Timeout(again) => bbr.on_timeout(now, &flight, again),
                Event::Undo => bbr.undo(now, &Memory::NOTHING),
                Event::Idle => bbr.on_idle(now, Duration::from_secs(1)),
                Event::Mss(mss) => {
                    bbr.set_mss(mss);
                    segment = mss.clamp(1, 65_535);
                }
                Event::SynLost => bbr.on_syn_lost(),
            }
            prop_assert!(bbr.window() >= segment);
            prop_assert!(bbr.pacing_rate().is_some_and(|rate| rate > 0));
        }
    }
}
