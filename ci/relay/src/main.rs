//! A bad link between two taps, in user space: it loses, doubles and delays frames, and lets some be overtaken.
//!
//! `relay NEAR FAR [loss N] [double N] [reorder N] [delay MILLISECONDS]`, where N are shares of a thousand frames, the same in both
//! directions. It says `ready` once both taps are open and runs until it is ended.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program for people's machines")]

mod way;

use std::io;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Monotonic as _};
use mirage_net::{Net, Outgoing, Receive as _, SendError, Transmit as _};
use mirage_net_unix::{Options, Tap};
use mirage_unix::{MonotonicClock, Reactor};
use way::{Faults, Way};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [near, far, faults @ ..] = &arguments[..] else {
        eprintln!("relay NEAR FAR [loss N] [double N] [reorder N] [delay MILLISECONDS]");
        return ExitCode::FAILURE;
    };
    let outcome = read(faults).map_err(io::Error::other).and_then(|faults| run(near, far, faults));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("relay: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &[String]) -> Result<Faults, String> {
    let mut faults = Faults::default();
    for pair in arguments.chunks(2) {
        let [name, number] = pair else { return Err(format!("`{}` without a number", pair.concat())) };
        let number = number.parse().map_err(|_| format!("`{number}` is no number"))?;
        match name.as_str() {
            "loss" => faults.loss = number,
            "double" => faults.double = number,
            "reorder" => faults.reorder = number,
            "delay" => faults.delay = Duration::from_millis(number),
            _ => return Err(format!("no fault `{name}`")),
        }
    }
    Ok(faults)
}

fn run(near: &str, far: &str, faults: Faults) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let open = |name| Tap::open(&reactor, name, Options { offloads: false, ..Options::default() });
    let mut taps = [open(near)?, open(far)?];
    let mut ways = [Way::new(faults, 1), Way::new(faults, 2)];
    println!("ready");
    loop {
        let now = MonotonicClock.now();
        for (tap, way) in taps.iter_mut().zip(&mut ways) {
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(frame) = tap.split().0.poll_frame(&mut cx, |frame| frame.bytes.to_vec()) {
                way.send(now, frame.map_err(|error| io::Error::other(format!("{error:?}")))?);
            }
        }
        for (from, to) in [(0, 1), (1, 0)] {
            let (_, transmit) = taps[to].split();
            while let Some(frame) = ways[from].receive(now) {
                match transmit.send(Outgoing::new(frame.len()), |writer| writer.put(&frame)) {
                    // A full device loses frames as any other does.
                    Ok(()) | Err(SendError::Full) => {}
                    Err(error) => return Err(io::Error::other(format!("{error:?}: {} bytes", frame.len()))),
                }
            }
            transmit.flush();
        }
        let next = ways.iter().filter_map(Way::next).min();
        if next.is_none_or(|next| next > MonotonicClock.now()) {
            reactor.wait(next)?;
        }
    }
}
