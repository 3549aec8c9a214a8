//! What BBR makes of a path.

use mirage_bbr::Bbr;
use mirage_clock::{Duration, Instant};
use mirage_congestion::Congestion;
use mirage_congestion::testing::{Demand, Path, Point, Simulation};

/// 100 Mbit/s, 20 ms, a queue of 256 KiB.
const PATH: Path = Path::new(100, Duration::from_millis(20));
/// What that path holds, in bytes of payload.
const PIPE: u32 = 241_000;

fn run(path: Path, seconds: u64) -> Simulation<Bbr> {
    let mut simulation = Simulation::of_one(path);
    simulation.run(Duration::from_secs(seconds));
    simulation
}

/// Mbit/s while `seconds` more pass.
fn megabits(simulation: &mut Simulation<Bbr>, flow: usize, seconds: u64) -> f64 {
    let before = simulation.sender(flow).acknowledged();
    simulation.run(Duration::from_secs(seconds));
    (simulation.sender(flow).acknowledged() - before) as f64 * 8.0 / (seconds * 1_000_000) as f64
}

/// What was seen from `seconds` on.
fn late(simulation: &Simulation<Bbr>, seconds: u64) -> impl Iterator<Item = &Point> {
    simulation.sender(0).points.iter().filter(move |point| point.at >= Instant::from_secs(seconds))
}

/// The round trip that so many percent are not longer than.
fn rtt(simulation: &Simulation<Bbr>, seconds: u64, percent: usize) -> Duration {
    let mut rtts: Vec<_> = late(simulation, seconds).map(|point| point.rtt).collect();
    rtts.sort();
    rtts[rtts.len() * percent / 100]
}

fn goodput(losses: u32) -> [f64; 3] {
    [1, 2, 3].map(|seed| {
        let path = Path { losses, seed, ..PATH };
        run(path, 30).sender(0).acknowledged() as f64 * 8.0 / 30e6
    })
}

#[test]
fn random_losses_up_to_three_in_a_hundred_leave_most_of_the_link() {
    for (losses, least) in [(0, 92.0), (1_000, 88.0), (10_000, 85.0), (30_000, 84.0)] {
        let goodput = goodput(losses);
        assert!(goodput.iter().all(|megabits| *megabits >= least), "{losses}: {goodput:?}");
    }
}

#[test]
fn startup_finds_the_bandwidth_in_a_dozen_round_trips() {
    let mut simulation = run(PATH, 0);
    simulation.run(Duration::from_millis(250));
    let rate = simulation.sender(0).control.pacing_rate().unwrap();
    let link = 12_500_000 * 1448 / 1500;
    assert!(rate >= link * 4 / 10, "{rate}");
    simulation.run(Duration::from_millis(250));
    assert!(megabits(&mut simulation, 0, 1) > 85.0);
}

#[test]
fn the_queue_is_empty_most_of_the_time() {
    let simulation = run(PATH, 30);
    let shortest = simulation.sender(0).min_rtt();
    assert!(rtt(&simulation, 1, 60) < shortest + Duration::from_millis(1), "{}", rtt(&simulation, 1, 60));
    assert!(rtt(&simulation, 1, 99) < shortest * 2, "{}", rtt(&simulation, 1, 99));
}

#[test]
fn a_deep_queue_stays_as_short_as_a_shallow_one() {
    let simulation = run(Path { queue: 10_000_000, ..PATH }, 30);
    assert_eq!(simulation.sender(0).losses, 0);
    assert!(rtt(&simulation, 1, 60) < Duration::from_millis(22), "{}", rtt(&simulation, 1, 60));
}

#[test]
fn a_shallow_queue_costs_few_losses() {
    // 20 packets, an eighth of what the pipe holds.
    let simulation = run(Path { queue: 30_000, ..PATH }, 30);
    let sender = simulation.sender(0);
    let goodput = sender.acknowledged() * 8 / 30_000_000;
    assert!(goodput >= 75, "{goodput} Mbit/s");
    let sent = sender.acknowledged() / 1448 + sender.losses;
    assert!(sender.losses * 100 <= sent, "{} of {sent} lost", sender.losses);
}

#[test]
fn every_few_seconds_it_looks_for_the_round_trip_of_an_empty_queue() {
    let simulation = run(Path { queue: 2_000_000, ..PATH }, 32);
    // A look is a stretch with at most half a pipe under way; it lasts 200 ms and a round trip.
    let mut looks = Vec::new();
    for point in late(&simulation, 1).filter(|point| point.in_flight <= PIPE * 55 / 100) {
        match looks.last_mut() {
            Some((_, end)) if point.at <= *end + Duration::from_millis(100) => *end = point.at,
            _ => looks.push((point.at, point.at)),
        }
    }
    let long = looks.iter().filter(|(start, end)| end.since(*start) >= Duration::from_millis(180));
    let starts: Vec<_> = long.map(|(start, _)| *start).collect();
    assert!((4..=7).contains(&starts.len()), "{looks:?}");
    for pair in starts.windows(2) {
        assert!(pair[1].since(pair[0]) >= Duration::from_secs(5), "{starts:?}");
    }
}

#[test]
fn ten_times_the_bandwidth_is_found_in_ten_seconds() {
    let slow = Path { rate: PATH.rate / 10, ..PATH };
    let mut simulation = run(slow, 10);
    assert!(megabits(&mut simulation, 0, 5) > 8.5);
    simulation.change_path(PATH);
    simulation.run(Duration::from_secs(10));
    assert!(megabits(&mut simulation, 0, 5) > 85.0);
}

#[test]
fn a_bound_set_by_losses_is_raised_ever_faster() {
    // The slow path's queue is so short that probes lose something and bound what may be under way.
    let long = Path { queue: 1_000_000, ..Path::new(100, Duration::from_millis(40)) };
    let mut simulation = run(Path { rate: long.rate / 10, queue: 8_000, ..long }, 10);
    assert!(simulation.sender(0).control.ssthresh() < 70_000, "{}", simulation.sender(0).control.ssthresh());
    simulation.change_path(long);
    simulation.run(Duration::from_secs(3));
    assert!(megabits(&mut simulation, 0, 1) > 80.0);
}

#[test]
fn a_tenth_of_the_bandwidth_is_accepted_in_ten_seconds() {
    let mut simulation = run(PATH, 10);
    simulation.change_path(Path { rate: PATH.rate / 10, ..PATH });
    simulation.run(Duration::from_secs(10));
    assert!(megabits(&mut simulation, 0, 10) > 8.0);
    let rate = simulation.sender(0).control.pacing_rate().unwrap();
    assert!(rate < PATH.rate / 10 * 13 / 10, "{rate}");
    assert!(rtt(&simulation, 20, 60) < Duration::from_millis(60), "{}", rtt(&simulation, 20, 60));
}

#[test]
fn two_senders_share_the_link() {
    let mut simulation = run(Path { queue: 500_000, ..PATH }, 10);
    simulation.add(Demand::Endless);
    simulation.run(Duration::from_secs(30));
    let before = [0, 1].map(|flow| simulation.sender(flow).acknowledged());
    simulation.run(Duration::from_secs(30));
    let [first, second] = [0, 1].map(|flow| (simulation.sender(flow).acknowledged() - before[flow]) * 8 / 30_000_000);
    assert!(first + second >= 85, "{first} and {second} Mbit/s");
    assert!(first <= 2 * second + 5 && second <= 2 * first + 5, "{first} and {second} Mbit/s");
}

#[test]
fn marks_keep_the_queue_short() {
    let marked = run(Path { mark_above: Some(30_000), ..PATH }, 20);
    assert!(marked.sender(0).acknowledged() * 8 / 20_000_000 >= 80, "{}", marked.sender(0).acknowledged());
    assert_eq!(marked.overflowed(), 0);
    assert!(rtt(&marked, 2, 99) < rtt(&run(PATH, 20), 2, 99), "{}", rtt(&marked, 2, 99));
}

#[test]
fn an_application_that_writes_little_does_not_make_the_path_look_slow() {
    // A second of 100 Mbit/s, then a few segments now and then, then all there is again.
    let mut simulation = Simulation::<Bbr>::new(PATH);
    simulation.add(Demand::Every(Duration::from_secs(10), 20_000));
    simulation.run(Duration::from_secs(10));
    let rate = simulation.sender(0).control.pacing_rate().unwrap();
    let mut trickle = Simulation::<Bbr>::new(PATH);
    trickle.add(Demand::Every(Duration::from_millis(50), 10));
    trickle.run(Duration::from_secs(20));
    assert!(trickle.sender(0).acknowledged() >= 399 * 10 * 1448);
    assert!(trickle.sender(0).control.pacing_rate().unwrap() >= 10 * 1448 * 20);
    // Idle for eight seconds of ten, and as fast as before afterwards.
    assert!(rate >= 10_000_000, "{rate}");
    let before = simulation.sender(0).acknowledged();
    simulation.run(Duration::from_millis(2700));
    assert!(
        simulation.sender(0).acknowledged() - before > 19_000 * 1448,
        "{}",
        simulation.sender(0).acknowledged() - before
    );
}
