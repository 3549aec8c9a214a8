//! `bench loss`: how much of a long way with random loss one stream fills, in virtual time: every run gives the same figures.

mod line;
mod mirage;
mod smoltcp;
mod transfer;

use std::time::Duration;

use self::line::Path;
use self::mirage::{WithBbr, WithCubic, WithReno};
use self::smoltcp::CongestionControl;
use crate::clock::median;
use crate::report::{self, Row};

/// How long a transfer lasts, in virtual time.
const SPAN: Duration = Duration::from_secs(60);
/// Send and receive buffer of either stack: many times what the way holds.
const BUFFER: usize = 4 << 20;
/// 100 Mbit/s and 20 ms there and back, with a queue of about another 20 ms.
const PATH: Path = Path { rate: 100_000_000, delay: 10_000_000, queue: 256 * 1024, loss: 0.0 };
/// What is lost at random, and what to call it.
const LOSSES: [(f64, &str); 3] = [(0.001, "0.1"), (0.01, "1"), (0.03, "3")];
/// The middle one of these counts.
const SEEDS: [u64; 3] = [1, 2, 3];

/// Sends over a path with a seed; what arrived.
type Run = fn(Path, u64) -> u64;

/// Runs everything.
pub(crate) fn run() -> Result<(), String> {
    let mut rows = Vec::new();
    let kinds: [(&str, Run, CongestionControl); 3] = [
        ("cubic", mirage::delivered::<WithCubic>, CongestionControl::Cubic),
        // The peer has no BBR: its best stands beside ours.
        ("bbr", mirage::delivered::<WithBbr>, CongestionControl::Cubic),
        ("reno", mirage::delivered::<WithReno>, CongestionControl::Reno),
    ];
    for (name, ours, control) in kinds {
        for (loss, share) in LOSSES {
            let path = Path { loss, ..PATH };
            let ours = goodput(|seed| ours(path, seed));
            let peer = goodput(|seed| smoltcp::delivered(control, path, seed));
            rows.push(Row { row: format!("{name}-{share}"), ours, peer, unit: "Mbit/s" });
        }
    }
    report::publish("loss", "smoltcp 0.14", &rows)?;
    println!("Linux 6.18 to Linux over the same way, emulated in real time (60 s, the middle one of three seeds):");
    println!("CUBIC 19.6 at 0.1 %, 6.1 at 1 %, 3.1 at 3 %; Reno 21.0, 6.8, 3.6.");
    Ok(())
}

/// The middle goodput of the seeds, in Mbit/s.
fn goodput(delivered: impl Fn(u64) -> u64) -> f64 {
    median(SEEDS.into_iter().map(|seed| delivered(seed) as f64 * 8.0 / SPAN.as_secs_f64() / 1e6).collect())
}
