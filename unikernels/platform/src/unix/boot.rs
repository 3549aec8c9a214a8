//! From `main` to the application and back.

use alloc::string::String;
use alloc::vec::Vec;
use std::process::ExitCode;

use super::block;
use super::machine::Machine;
use super::net::{self, Network};
use super::nic;
use crate::boot::{self, Start, start};
use crate::{App, Arguments, BadArgument, Local, Networked};

/// Runs an application with a network: the whole `main` of an image.
///
/// Reads the arguments, starts the log, connects the network that `--net` names, runs the application until it is done or
/// SIGINT or SIGTERM comes, and gives the exit code.
pub fn boot<A: Networked>() -> ExitCode {
    let declared = [
        A::ARGUMENTS,
        net::ARGUMENTS,
        block::arguments(A::DEVICES),
        nic::arguments(A::DEVICES),
        boot::arguments::<A>(),
    ];
    let exit = start::<A, _, _, _>(words(), &declared, machine::<A>, |app, arguments| {
        block::check(arguments, A::DEVICES)?;
        nic::check(arguments, A::DEVICES)?;
        let network = Network::new(arguments, A::FORWARDS)?;
        Ok(move |start| net::run(app, network, start))
    });
    exit.into()
}

/// Runs an application without a network: the whole `main` of an image. See [`boot`].
pub fn boot_local<A: Local>() -> ExitCode {
    let declared = [A::ARGUMENTS, block::arguments(A::DEVICES), nic::arguments(A::DEVICES), boot::arguments::<A>()];
    let exit = start::<A, _, _, _>(words(), &declared, machine::<A>, |app, arguments| {
        block::check(arguments, A::DEVICES)?;
        nic::check(arguments, A::DEVICES)?;
        Ok(move |start: Start| app.run(start.context))
    });
    exit.into()
}

fn machine<A: App>(arguments: &Arguments) -> Result<Machine, String> {
    Machine::new(arguments, A::DEVICES)
}

/// `argv` without the program's name, not cut again: a shell has done so.
fn words() -> Result<&'static str, BadArgument> {
    let words = std::env::args_os().skip(1);
    let words =
        words.map(|word| word.into_string().map_err(|word| BadArgument::new(&word.to_string_lossy(), &"not UTF-8")));
    Arguments::join(words.collect::<Result<Vec<_>, _>>()?)
}
