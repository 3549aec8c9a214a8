//! What CUBIC makes of a path.
use mirage_clock::Duration;
use mirage_congestion::testing::{Path, Simulation};
use mirage_congestion::{Congestion, Reno};
use mirage_cubic::Cubic;

fn megabits<C: Congestion>(losses: u32, seed: u64) -> f64 {
    let path = Path { losses, seed, ..Path::new(100, Duration::from_millis(20)) };
    let mut simulation = Simulation::<C>::of_one(path);
    simulation.run(Duration::from_secs(30));
    let s = simulation.sender(0);
    println!("    rec {} rto {} lost {} overflow {}", s.recoveries, s.timeouts, s.losses, simulation.overflowed());
    simulation.sender(0).acknowledged() as f64 * 8.0 / 30e6
}

#[test]
fn print() {
    for losses in [0, 1000, 10_000, 30_000] {
        for seed in 1..=3 {
            println!(
                "{losses} {seed}: cubic {:.1} reno {:.1}",
                megabits::<Cubic>(losses, seed),
                megabits::<Reno>(losses, seed)
            );
        }
    }
}
