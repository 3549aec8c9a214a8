//! The network of an image: our own stack on the device `service`.

use core::net::Ipv4Addr;

use mirage_protocols::{Ipv4Cidr, parse_ipv4};

use super::stacks::Assemble as _;
use crate::boot::Start;
use crate::{Argument, Arguments, BadArgument, Exit, Networked};

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
    pub(super) address: Ipv4Cidr,
    pub(super) gateway: Option<Ipv4Addr>,
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

/// Runs `app` on the stack that it has.
pub(super) async fn run<A: Networked>(app: A, network: Network, start: Start) -> Exit {
    let (context, about) = (start.context.clone(), start.about);
    match A::TcpIp::run(app, network, start).await {
        Ok(exit) => exit,
        Err(failure) => context.fail(about.name, &*failure.0),
    }
}
