//! From the first words to the application and back, the same on every target.

use alloc::format;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{self, Poll, Waker};

use crate::arguments::{Stop, help, version};
use crate::context::complain;
use crate::logger::{Filter, Logger};
use crate::target::Machine;
use crate::text::Line;
use crate::{About, Argument, Arguments, BadArgument, Context, Exit};

/// Which lines of log are written.
const LOGS: Argument = Argument::value("logs", "LEVELS", "log levels by target, like *:info,tcp:debug").or("*:warn");

/// The arguments of the platform itself, for the application `A`.
pub(crate) const fn arguments<A: crate::App>() -> &'static [Argument] {
    if A::LOGS { &[LOGS] } else { &[] }
}

/// Tasks an image may hold.
const MAX_TASKS: usize = 65_536;
/// Lines of log a second.
const LOG_LINES: u32 = 1_000;

/// What the boot code lends the part that runs the application.
pub(crate) struct Start {
    pub(crate) context: Context,
    pub(crate) machine: &'static Machine,
    pub(crate) about: &'static About,
}

/// Reads the arguments, starts the log and the machine, runs what `prepare` makes of the application until it is done or
/// the machine is asked to stop. `words` are the arguments, each ended by a zero byte.
pub(crate) fn start<A: crate::App, F: Future<Output = Exit>, R: FnOnce(Start) -> F, E: fmt::Display>(
    words: Result<&'static str, BadArgument>,
    declared: &[&[Argument]],
    machine: impl FnOnce(&Arguments) -> Result<Machine, E>,
    prepare: impl FnOnce(A, &Arguments) -> Result<R, BadArgument>,
) -> Exit {
    let about = const { &A::ABOUT };
    let prepared = || -> Result<_, Stop> {
        let arguments = Arguments::read(declared, words?)?;
        let filter = A::LOGS.then(|| filter(&arguments)).transpose()?;
        let run = prepare(A::new(&arguments)?, &arguments)?;
        Ok((run, filter, arguments))
    };
    let (run, filter, arguments) = match prepared() {
        Ok(prepared) => prepared,
        Err(stop) => {
            match &stop {
                Stop::Help => help(about, declared, &mut Machine::print),
                Stop::Version => version(about, &mut Machine::print),
                Stop::Bad(bad) => {
                    let mut line = Line::new();
                    bad.put(line.put_all(&[about.name, ": "]));
                    Machine::complain(line.as_str());
                }
            }
            let exit = stop.exit();
            // This is the end; nothing has to be given back.
            core::mem::forget((stop, machine));
            return exit;
        }
    };
    if let Some(filter) = filter {
        Logger::new(filter, LOG_LINES, Machine::monotonic, Machine::complain).install();
    }
    let machine = match machine(&arguments) {
        Ok(machine) => machine,
        Err(error) => {
            complain(about.name, &error);
            return Exit::FAILURE;
        }
    };
    let context = Context::new(machine, MAX_TASKS);
    let mut work = pin!(run(Start { context: context.clone(), machine: context.machine(), about }));
    // Who never waits needs no run loop, and its image has none. Who does is asked again with a waker that counts.
    if let Poll::Ready(exit) = work.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) {
        return exit;
    }
    context.executor().block_on(async {
        match until(work, context.machine().stopped()).await {
            Ok(exit) => exit,
            Err(by) => {
                Machine::print(&format!("{}: stopped by {by}", about.name));
                Exit::SUCCESS
            }
        }
    })
}

/// What `--logs` says.
fn filter(arguments: &Arguments) -> Result<Filter, BadArgument> {
    let levels = arguments.text(&LOGS).unwrap_or_default();
    Filter::new(levels).map_err(|error| BadArgument::value(LOGS.name, levels, error.text()))
}

/// `work`, or what came first.
pub(crate) async fn until<A, B>(work: impl Future<Output = A>, end: impl Future<Output = B>) -> Result<A, B> {
    let (mut work, mut end) = (pin!(work), pin!(end));
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        end.as_mut().poll(cx).map(Err)
    })
    .await
}
