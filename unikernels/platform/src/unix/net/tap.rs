//! `--net=tap:NAME[,plain]`: our own stack on a tap device.

use alloc::boxed::Box;
use alloc::format;

use mirage_net_unix::{Options, Tap};
use mirage_random::SeededGenerator;
use mirage_tcpip::{Sizes, Storage};
use mirage_unix::KernelEntropy;

use super::Network;
use crate::boot::Start;
use crate::network::Reach;
use crate::network::own::{self, Failure};
use crate::{Exit, Networked};

/// Runs `app` on the tap device `name`; on a `plain` one everything is our own work.
pub(super) async fn run<A: Networked>(
    app: A,
    name: &str,
    plain: bool,
    network: &Network,
    start: Start,
) -> Result<Exit, Failure> {
    let options = Options { offloads: !plain, ..Options::default() };
    let tap = Tap::open(start.machine.reactor(), name, options).map_err(|error| format!("{name}: {error}"))?;
    let mut random = SeededGenerator::new(&mut KernelEntropy)?;
    let reach = Reach::Address(network.address.address());
    let stack = own::stack(
        tap,
        (network.address, network.gateway),
        &mut random,
        Storage::allocate(Sizes::default()),
        mirage_tcpip::Config::default(),
    )?;
    own::run(app, stack, start.context.with_network(reach, Box::new(stack))).await
}
