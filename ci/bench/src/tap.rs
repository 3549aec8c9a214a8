//! `bench tap`: one stream between our stack on a tap and Linux, beside the same stream between Linux and Linux over a veth
//! pair, with and without offloads. Needs root.
//!
//! The far end is the same in both: a thread with an ordinary socket in the client's namespace. The near end sends
//! characters without end or throws away what comes: ours is `echo` (RFC 863 and 864), the peer a program that does nothing
//! else, by the simplest calls there are.

mod far;
mod near;
pub(crate) mod peer;

use std::time::Duration;

use crate::clock::median;
use crate::lab::{self, Lab, Side};
use crate::report::{self, Row};

use near::Near;

/// How long the stream flows before it counts, and while it does.
const WARM_UP: Duration = Duration::from_millis(500);
const COUNTED: Duration = Duration::from_secs(3);
/// Runs of each, in turn, of which the middle one counts.
const RUNS: usize = 7;

/// Which way the bytes go, as the near end sees it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Send,
    Receive,
}

/// Runs everything.
pub(crate) fn run() -> Result<(), String> {
    println!("everything on core {}, MTU 1500; Gbit/s", lab::CORE);
    let mut rows = Vec::new();
    for (kind, offloads) in [("offload", true), ("plain", false)] {
        let lab = Lab::new()?;
        if !offloads {
            lab.without_offloads(Side::Client, "veth0")?;
            lab.without_offloads(Side::Peer, "veth0")?;
        }
        let ours = Near::ours(&lab, offloads)?;
        let peer = Near::peer(&lab)?;
        for (way, name) in [(Way::Send, "send"), (Way::Receive, "receive")] {
            let (mut ours_all, mut peer_all) = (Vec::new(), Vec::new());
            for _ in 0..RUNS {
                ours_all.push(far::rate(&lab, &ours, way)?);
                peer_all.push(far::rate(&lab, &peer, way)?);
            }
            let row = format!("{name}-{kind}");
            print(&row, "ours", &ours_all);
            print(&row, "Linux", &peer_all);
            rows.push(Row { row, ours: median(ours_all), peer: median(peer_all), unit: "Gbit/s" });
        }
    }
    report::publish("tap", "Linux over veth", &rows)
}

/// How far the runs lie apart.
fn print(row: &str, name: &str, all: &[f64]) {
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = all.iter().copied().fold(0.0, f64::max);
    println!("{row:16} {name:5} {:>7.3} ({least:.3} to {most:.3})", median(all.to_vec()));
}
