//! From the machine's first instructions to the application and back.

use core::convert::Infallible;

use super::net::{self, Network};
use super::utf8::is_text;
use crate::arguments::cut;
use crate::boot::{self, Start, start};
use crate::target::Machine;
use crate::{BadArgument, Exit, Local, Networked};

/// Runs an application with a network on `machine`, whose command line is `line` without its last byte.
pub(crate) fn boot<A: Networked>(machine: Machine, line: &'static mut [u8]) -> Exit {
    let declared = [A::ARGUMENTS, net::ARGUMENTS, boot::arguments::<A>()];
    start::<A, _, _, _>(
        words(line),
        &declared,
        |_| Ok::<_, Infallible>(machine),
        |app, arguments| {
            let network = Network::new(arguments)?;
            Ok(move |start| net::run(app, network, start))
        },
    )
}

/// Runs an application without a network. See [`boot`].
pub(crate) fn boot_local<A: Local>(machine: Machine, line: &'static mut [u8]) -> Exit {
    let declared = [A::ARGUMENTS, boot::arguments::<A>()];
    start::<A, _, _, _>(
        words(line),
        &declared,
        |_| Ok::<_, Infallible>(machine),
        |app, _| Ok(move |start: Start| app.run(start.context)),
    )
}

/// The arguments in `line`, each ended by a zero byte.
fn words(line: &'static mut [u8]) -> Result<&'static str, BadArgument> {
    const LINE: &str = "arguments";
    if !is_text(line) {
        return Err(BadArgument::because(LINE, "the command line is not UTF-8"));
    }
    let len = cut(line).map_err(|error| BadArgument::because(LINE, error.text()))?;
    let words = &*line;
    // SAFETY: it was UTF-8, and was cut beside bytes of ASCII.
    Ok(unsafe { core::str::from_utf8_unchecked(words.get(..len).unwrap_or_default()) })
}
