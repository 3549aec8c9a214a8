//! `bench tap`: one stream between our stack on a tap and Linux, beside the same stream between Linux and Linux over a veth
//! pair. Needs root.
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
const RUNS: usize = 5;
/// What Linux controls congestion by unless an administrator says otherwise; here both ends of Linux ask for it.
const CONGESTION: &str = "cubic";

/// Which way the bytes go, as the near end sees it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Send,
    Receive,
}

/// What the devices take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offloads {
    /// All they can.
    All,
    /// Nothing, and Linux does not spare itself work by cutting large packets late either.
    None,
    /// Nothing, but Linux does.
    LateCutting,
}

impl Offloads {
    const ALL: [(Self, &'static str); 3] =
        [(Self::All, "offload"), (Self::None, "plain"), (Self::LateCutting, "plain-gso")];

    /// Sets up both ends of the veth pair and our tap.
    fn set_up(self, lab: &Lab) -> Result<lab::Tap, String> {
        if self == Self::All {
            return lab.tap(8);
        }
        let tap = lab.plain_tap(8)?;
        for (side, interface) in [(Side::Client, "veth0"), (Side::Peer, "veth0"), (Side::Client, &*tap.name)] {
            lab.without_offloads(side, interface)?;
            if self == Self::None {
                lab.packet_by_packet(side, interface)?;
            }
        }
        Ok(tap)
    }
}

/// Runs everything.
pub(crate) fn run() -> Result<(), String> {
    println!("everything on core {}, MTU 1500, {CONGESTION} on Linux; Gbit/s", lab::CORE);
    let mut rows = Vec::new();
    for (offloads, kind) in Offloads::ALL {
        let lab = Lab::new()?;
        let tap = offloads.set_up(&lab)?;
        let ours = Near::ours(&lab, &tap, offloads == Offloads::All)?;
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
    println!("{row:18} {name:5} {:>7.3} ({least:.3} to {most:.3})", median(all.to_vec()));
}
