//! `bench tcp`: ours beside smoltcp on one in-memory link, both ends on one core.

use crate::clock::median;
use crate::floor;
use crate::instructions::per_turn;
use crate::peers::{Cable, Mirage, Offload, Smoltcp, World};
use crate::report::{self, Row};
use crate::scenario::{self, Calls};

/// Bytes a bulk run moves.
const BULK: u64 = 1 << 30;
/// Runs of each, in turn, of which the middle one counts.
const RUNS: usize = 5;
/// Rounds of an idle run.
const ROUNDS: u64 = 2_000;

/// Runs everything.
pub(crate) fn run() -> Result<(), String> {
    let mut rows = Vec::new();
    for (row, mtu, offload, calls) in [
        ("bulk-1500", 1500, Offload::Nothing, Calls::InPlace),
        ("bulk-1500-offload", 1500, Offload::Checksums, Calls::InPlace),
        ("bulk-1500-segments", 1500, Offload::Segments, Calls::InPlace),
        ("bulk-9000", 9000, Offload::Nothing, Calls::InPlace),
        ("bulk-9000-offload", 9000, Offload::Checksums, Calls::InPlace),
        ("bulk-1500-copied", 1500, Offload::Nothing, Calls::Copying),
        ("bulk-9000-copied", 9000, Offload::Nothing, Calls::Copying),
    ] {
        let cable = Cable { mtu, offload };
        let (ours, peer) = in_turn(
            || rate(scenario::bulk::<Mirage>(cable, BULK, calls)),
            || rate(scenario::bulk::<Smoltcp>(cable, BULK, calls)),
        );
        rows.push(Row { row: row.to_owned(), ours, peer, unit: "Gbit/s" });
    }
    rows.extend(floor());
    for (row, name, turns) in [
        ("segment-instructions", "segment", 20_000),
        ("segment-copied-instructions", "segment-copied", 20_000),
        ("pingpong-instructions", "pingpong", 5_000),
        ("connect-instructions", "connect", 1_000),
        ("udp-echo-instructions", "udp-echo", 6_400),
    ] {
        let ours = per_turn("mirage", name, turns)?;
        let peer = per_turn("smoltcp", name, turns)?;
        rows.push(Row { row: row.to_owned(), ours, peer, unit: "instructions" });
    }
    let floor = per_turn("mirage", "floor", 20_000)?;
    rows.push(Row { row: "floor-instructions".to_owned(), ours: floor, peer: floor, unit: "instructions" });
    for (row, connections) in [("idle-100", 100), ("idle-10000", 10_000)] {
        let (ours, peer) = in_turn(|| idle_ratio::<Mirage>(connections), || idle_ratio::<Smoltcp>(connections));
        rows.push(Row { row: row.to_owned(), ours, peer, unit: "times one connection" });
    }
    rows.push(Row {
        row: "idle-bytes".to_owned(),
        ours: Mirage::idle_bytes() as f64,
        peer: Smoltcp::idle_bytes() as f64,
        unit: "bytes per idle connection",
    });
    report::publish("tcp", "smoltcp 0.14", &rows)
}

/// What the bytes alone allow, and the share of it that both reach: in turn, so that what else the machine does hits all.
fn floor() -> [Row; 2] {
    let cable = Cable { mtu: 1500, offload: Offload::Nothing };
    let (mut floors, mut ours, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let floor = rate(floor::bytes_alone(BULK));
        ours.push(rate(scenario::bulk::<Mirage>(cable, BULK, Calls::InPlace)) / floor);
        peers.push(rate(scenario::bulk::<Smoltcp>(cable, BULK, Calls::InPlace)) / floor);
        floors.push(floor);
    }
    let floor = median(floors);
    [
        Row { row: "floor-1500".to_owned(), ours: floor, peer: floor, unit: "Gbit/s" },
        Row { row: "floor-share".to_owned(), ours: median(ours), peer: median(peers), unit: "of the floor" },
    ]
}

/// Gbit/s of a bulk run.
fn rate(took: std::time::Duration) -> f64 {
    BULK as f64 * 8.0 / took.as_secs_f64() / 1e9
}

/// The middle figures of several runs of both, A B A B …
fn in_turn(mut ours: impl FnMut() -> f64, mut peer: impl FnMut() -> f64) -> (f64, f64) {
    let (ours, peer) = (0..RUNS).map(|_| (ours(), peer())).unzip();
    (median(ours), median(peer))
}

/// What a round costs with so many connections, as a ratio to one; the two in turn.
fn idle_ratio<W: World>(connections: usize) -> f64 {
    // Rounds with many connections are slow on a stack that scans them: fewer do.
    let one = scenario::idle::<W>(1, ROUNDS).as_secs_f64() / ROUNDS as f64;
    let probe = scenario::idle::<W>(connections, 20).as_secs_f64() / 20.0;
    let rounds = if probe > 1e-4 { 100 } else { ROUNDS };
    let many = scenario::idle::<W>(connections, rounds).as_secs_f64() / rounds as f64;
    many / one
}
