//! From the machine's first instructions to the application and back.

use alloc::string::String;
use core::convert::Infallible;

use super::net::{self, Network};
use crate::arguments::Tokens;
use crate::boot::{LOGS, Start, start};
use crate::target::Machine;
use crate::{BadArgument, Exit, Local, Networked};

/// Runs an application with a network on `machine`, whose command line is `line`.
pub(crate) fn boot<A: Networked>(machine: Machine, line: &str) -> Exit {
    let declared = [A::ARGUMENTS, net::ARGUMENTS, &[LOGS]];
    start::<A, _, _>(
        &mut words(line),
        &declared,
        |_| Ok::<_, Infallible>(machine),
        |app, arguments| {
            let network = Network::new(arguments)?;
            Ok(async move |start: Start<'_>| net::run(app, network, start).await)
        },
    )
}

/// Runs an application without a network. See [`boot`].
pub(crate) fn boot_local<A: Local>(machine: Machine, line: &str) -> Exit {
    let declared = [A::ARGUMENTS, &[LOGS]];
    start::<A, _, _>(
        &mut words(line),
        &declared,
        |_| Ok::<_, Infallible>(machine),
        |app, _| Ok(async move |start: Start<'_>| app.run(start.context).await),
    )
}

fn words(line: &str) -> impl Iterator<Item = Result<String, BadArgument>> {
    Tokens::new(line).map(move |token| token.map_err(|error| BadArgument::new(line, &error)))
}
