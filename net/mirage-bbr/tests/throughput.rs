//! What BBR makes of a path.
use mirage_bbr::Bbr;
use mirage_clock::Duration;
use mirage_congestion::Congestion;
use mirage_congestion::testing::{Path, Simulation};

fn megabits<C: Congestion>(losses: u32, seed: u64) -> f64 {
    let path = Path { losses, seed, ..Path::new(100, Duration::from_millis(20)) };
    let mut simulation = Simulation::<C>::of_one(path);
    simulation.run(Duration::from_secs(30));
    let s = simulation.sender(0);
    let mut rtts: Vec<_> = s.points.iter().map(|p| p.rtt).collect();
    rtts.sort();
    println!(
        "    size {} rec {} rto {} lost {} overflow {} rtt50 {} rtt90 {} rtt99 {}",
        size_of::<C>(),
        s.recoveries,
        s.timeouts,
        s.losses,
        simulation.overflowed(),
        rtts[rtts.len() / 2],
        rtts[rtts.len() * 9 / 10],
        rtts[rtts.len() * 99 / 100]
    );
    simulation.sender(0).acknowledged() as f64 * 8.0 / 30e6
}

#[test]
fn print() {
    for losses in [0, 1000, 10_000, 30_000] {
        for seed in 1..=3 {
            println!("{losses} {seed}: bbr {:.1}", megabits::<Bbr>(losses, seed));
        }
    }
}
