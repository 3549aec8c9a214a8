//! From `main` to the application and back.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::process::ExitCode;

use mirage_clock::{Monotonic, Wall};
use mirage_unix::{MonotonicClock, Reactor, WallClock};

use super::host::{Host, complain, print};
use super::net::{self, Network};
use super::signals::Signals;
use crate::arguments::Stop;
use crate::executor::Executor;
use crate::logger::{Filter, Logger};
use crate::{About, Argument, Arguments, BadArgument, Context, Exit, Local, Networked};

/// Which lines of log are written.
const LOGS: Argument = Argument::value("logs", "LEVELS", "log levels by target, like *:info,tcp:debug").or("*:warn");

/// Tasks an image may hold.
const MAX_TASKS: usize = 65_536;
/// Lines of log a second.
const LOG_LINES: u32 = 1_000;

/// Runs an application with a network: the whole `main` of an image.
///
/// Reads the arguments, starts the log, connects the network that `--net` names, runs the application until it is done or
/// SIGINT or SIGTERM comes, and gives the exit code.
pub fn boot<A: Networked>() -> ExitCode {
    start::<A, _>(&[A::ARGUMENTS, net::ARGUMENTS, &[LOGS]], |app, arguments| {
        let network = Network::new(arguments, A::FORWARDS)?;
        Ok(async move |start: Start<'_>| net::run(app, network, start).await)
    })
}

/// Runs an application without a network: the whole `main` of an image. See [`boot`].
pub fn boot_local<A: Local>() -> ExitCode {
    start::<A, _>(&[A::ARGUMENTS, &[LOGS]], |app, _| Ok(async move |start: Start<'_>| app.run(start.context).await))
}

/// What the process lends the part that runs the application.
pub(super) struct Start<'a> {
    pub(super) context: Context,
    pub(super) reactor: &'a Reactor,
    pub(super) about: &'a About,
}

fn start<A: crate::App, R: AsyncFnOnce(Start<'_>) -> Exit>(
    declared: &[&[Argument]],
    prepare: impl FnOnce(A, &Arguments) -> Result<R, BadArgument>,
) -> ExitCode {
    let about = A::ABOUT;
    let prepared = words().map_err(Stop::from).and_then(|words| {
        let arguments = Arguments::parse(&about, declared, words)?;
        let filter = arguments.require::<Filter>(&LOGS)?;
        let run = prepare(A::new(&arguments)?, &arguments)?;
        Ok((run, filter))
    });
    let (run, filter) = match prepared {
        Ok(prepared) => prepared,
        Err(stop) => {
            match &stop {
                Stop::Help(text) | Stop::Version(text) => print(text),
                Stop::Bad(bad) => complain(&format!("{}: {bad}", about.name)),
            }
            return stop.exit().into();
        }
    };
    Logger::new(filter, LOG_LINES, || MonotonicClock.now(), complain).install();
    let host = Reactor::new().and_then(|reactor| Ok((Signals::new(&reactor)?, reactor)));
    let (signals, reactor) = match host {
        Ok(host) => host,
        Err(error) => {
            complain(&format!("{}: {error}", about.name));
            return Exit::FAILURE.into();
        }
    };
    let executor = Executor::new(Host { reactor: reactor.clone() }, MAX_TASKS);
    let context = Context::new(executor.spawner(), executor.timer(), print, || WallClock.timestamp());
    let exit = executor.block_on(async {
        let run = run(Start { context, reactor: &reactor, about: &about });
        match until(run, signals.first()).await {
            Ok(exit) => exit,
            Err(signal) => {
                print(&format!("{}: stopped by {signal}", about.name));
                Exit::SUCCESS
            }
        }
    });
    exit.into()
}

/// `argv` without the program's name, not cut again: a shell has done so.
fn words() -> Result<Vec<String>, BadArgument> {
    let words = std::env::args_os().skip(1);
    words.map(|word| word.into_string().map_err(|word| BadArgument::new(word.to_string_lossy(), "not UTF-8"))).collect()
}

/// `work`, or what came first.
pub(super) async fn until<A, B>(work: impl Future<Output = A>, end: impl Future<Output = B>) -> Result<A, B> {
    let (mut work, mut end) = (pin!(work), pin!(end));
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        end.as_mut().poll(cx).map(Err)
    })
    .await
}
