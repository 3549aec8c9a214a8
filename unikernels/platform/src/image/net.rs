//! The network of an image: our own stack on the device `service`.

use core::net::Ipv4Addr;

use mirage_protocols::{Ipv4Cidr, parse_ipv4};
use mirage_random::SeededGenerator;
use mirage_tcpip::{Sizes, Stack, Storage};

use super::tables::Cut;
use crate::boot::Start;
use crate::network::Reach;
use crate::network::own::{self, Failure, Own};
use crate::target::{Machine, Net};
use crate::{Argument, Arguments, BadArgument, Device, Exit, Networked, image};

const IPV4: Argument = Argument::value("ipv4", "ADDRESS/PREFIX", "address of the image").or("10.0.2.15/24");
const GATEWAY: Argument = Argument::value(
    "ipv4-gateway",
    "ADDRESS",
    "default gateway [the second address of the network, where --ipv4 is not given]",
);

/// What [`Network::new`] reads.
pub(super) const ARGUMENTS: &[Argument] = &[IPV4, GATEWAY];

/// What the arguments say about the network.
pub(super) struct Network {
    address: Ipv4Cidr,
    gateway: Option<Ipv4Addr>,
}

impl Network {
    pub(super) fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        let network = |text: &str| text.parse::<Ipv4Cidr>().ok();
        let address =
            arguments.parsed_by(&IPV4, network, "expected an address with its prefix length, like 10.0.0.2/24")?;
        let address = address.ok_or(BadArgument::must_be_given(IPV4.name))?;
        let usual = Ipv4Addr::from_bits(address.network().to_bits() | 2);
        let gateway = arguments.parsed_by(&GATEWAY, parse_ipv4, "expected an address like 10.0.0.2")?;
        let gateway = gateway.or((!arguments.flag(&IPV4)).then_some(usual));
        Ok(Self { address, gateway })
    }
}

/// Runs `app` on the stack.
pub(super) async fn run<A: Networked>(app: A, network: Network, start: Start) -> Exit {
    let failure = match stack::<A>(start.machine, &network) {
        Ok(stack) => {
            let reach = Reach::Address(network.address.address());
            let context = start.context.clone().with_network(reach, Own::new(stack));
            match own::run(app, stack, context).await {
                Ok(exit) => return exit,
                Err(failure) => failure,
            }
        }
        Err(failure) => failure,
    };
    start.context.fail(start.about.name, &*failure.0)
}

fn stack<A: Networked>(machine: &Machine, network: &Network) -> Result<&'static Stack<'static, Net, A::Tcp>, Failure> {
    let device = machine.net(Device::SERVICE.name)?;
    let mut random = SeededGenerator::new(&mut machine.entropy())?;
    let mut sizes = sizes(image::memory());
    if !A::FRAGMENTS {
        sizes.fragments = 0;
    }
    let storage = Storage::build(sizes, &mut Cut);
    own::stack(device, (network.address, network.gateway), &mut random, storage, own::config::<A>())
}

/// Memory in which a stack may have what [`Sizes::default`] says.
const WHOLE: u64 = 56 * 1024 * 1024;

/// How much of everything a stack may have in a machine with `memory` bytes to give.
///
/// About half of it goes to the stack and most of that to buffers; the rest is the application's.
fn sizes(memory: usize) -> Sizes {
    let whole = Sizes::default();
    let share = |count: usize, least: usize| {
        let part = count as u64 * memory as u64 / WHOLE;
        usize::try_from(part).map_or(count, |part| part.clamp(least, count))
    };
    Sizes {
        connections: share(whole.connections, 32),
        half_open: share(whole.half_open, 16),
        time_wait: share(whole.time_wait, 32),
        blocks: share(whole.blocks, 64),
        udp_sockets: share(whole.udp_sockets, 8),
        udp_blocks: share(whole.udp_blocks, 64),
        neighbours: share(whole.neighbours, 16),
        fragments: share(whole.fragments, 64),
        ..whole
    }
}
