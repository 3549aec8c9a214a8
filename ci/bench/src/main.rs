//! Benchmarks beside peers. Each prints a table and writes `target/bench/NAME.json`.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a program for people's machines: std is all it knows"
)]

mod boot;
mod clock;
mod floor;
mod folders;
mod http;
mod instructions;
mod lab;
mod loss;
mod nginx;
mod peers;
mod report;
mod scenario;
mod tap;
mod tcp;

use std::process::ExitCode;

/// A benchmark: its name, what it shows, and how it runs.
type Bench = (&'static str, &'static str, fn() -> Result<(), String>);

const BENCHES: [Bench; 5] = [
    ("tcp", "the stack beside smoltcp 0.14 on one in-memory link", tcp::run),
    ("loss", "one stream over a long way with random loss beside smoltcp 0.14, in virtual time", loss::run),
    ("tap", "one stream between the stack on a tap and Linux beside Linux over veth (root)", tap::run),
    ("http", "the web server behind a tap beside nginx with one worker, under wrk (root)", http::run),
    ("boot", "how long images take to say their first word, beside the smallest thing started alike (root)", boot::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        None => {
            for (name, shows, _) in BENCHES {
                println!("{name:8} {shows}");
            }
            Ok(())
        }
        // What valgrind runs: one scenario, so many times.
        Some("scenario") => scenario::from_arguments(&arguments[1..]),
        // The peer of `tap`, in a namespace of its own.
        Some("tap-peer") => tap::peer::run(),
        Some(name) => match BENCHES.iter().find(|bench| bench.0 == name) {
            Some((_, _, run)) => run(),
            None => Err(format!("no benchmark `{name}`")),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}
