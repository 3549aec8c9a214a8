//! `bench http`: our web server as a process behind a tap beside nginx with one worker behind a veth, under the same
//! wrk. Needs root.

mod cpu;
mod page;
mod server;
mod wrk;

use crate::clock::median;
use crate::lab::{self, Lab};
use crate::report::{self, Row};

use server::Running;

/// Connections that wrk holds at once.
const CONNECTIONS: [u32; 3] = [1, 32, 256];
/// Runs of each server with so many connections, in turn, of which the middle one counts.
const RUNS: usize = 7;

/// Runs everything.
pub(crate) fn run() -> Result<(), String> {
    let lab = Lab::new()?;
    let peer = Running::start(&mut server::nginx(&lab)?, &lab)?;
    let mut ours = Vec::new();
    for mut server in server::ours(&lab)? {
        let running = Running::start(&mut server, &lab)?;
        page::same(&lab, &running.url, &peer.url)?;
        ours.push((server, running));
    }
    println!("servers and wrk on core {}; CPU is what the scheduler counted for the server's threads", lab::CORE);
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let mut figures = vec![Figures::default(); ours.len() + 1];
        for _ in 0..RUNS {
            for (running, figures) in [&peer].into_iter().chain(ours.iter().map(|(_, ours)| ours)).zip(&mut figures) {
                figures.add(running.serve(&lab, connections)?);
            }
        }
        figures[0].print("nginx", connections);
        for ((server, _), figures_of_ours) in ours.iter().zip(&figures[1..]) {
            figures_of_ours.print(server.name, connections);
            rows.push(Row {
                row: format!("http-{}-{connections}", server.name),
                ours: median(figures_of_ours.micros.clone()),
                peer: median(figures[0].micros.clone()),
                unit: "us of CPU per request",
            });
        }
    }
    report::publish("http", "nginx", &rows)
}

/// What several runs of one server gave.
#[derive(Clone, Default)]
struct Figures {
    /// Microseconds of the server's CPU for each request.
    micros: Vec<f64>,
    /// Requests for each second.
    rates: Vec<f64>,
}

impl Figures {
    fn add(&mut self, run: server::Run) {
        self.micros.push(run.cpu.as_secs_f64() * 1e6 / run.wrk.requests as f64);
        self.rates.push(run.wrk.rate);
    }

    fn print(&self, name: &str, connections: u32) {
        let least = self.micros.iter().copied().fold(f64::INFINITY, f64::min);
        let (micros, rate) = (median(self.micros.clone()), median(self.rates.clone()));
        println!("{name:8} {connections:>4} connections {rate:>8.0} requests/s {micros:>8.2} us (least {least:.2})");
    }
}
