//! `--net=user`: our own stack, and a gateway in this process that stands between it and the host's sockets.

use alloc::boxed::Box;
use core::net::Ipv4Addr;

use mirage_net::{Capabilities, ChecksumOffload, MacAddress, SegmentationOffload};
use mirage_protocols::Ipv4Cidr;
use mirage_random::{Rng, SeededGenerator};
use mirage_stack_unix::{HostStack, resolver};
use mirage_tcpip::{Sizes, Storage};
use mirage_unix::KernelEntropy;
use mirage_usernet::{Config, Gateway, Transport};
use mirage_vnetif::Cable;

use super::Network;
use crate::boot::{Start, until};
use crate::network::own::{self, Failure};
use crate::network::{Forward, Protocol, Reach, Service};
use crate::{Exit, Networked};

const MTU: usize = 1_500;
/// Frames under way in each direction.
const SLOTS: usize = 64;
/// A cable in memory carries 64 KiB as easily as 1500 bytes, and flips no bits.
const CAPABILITIES: Capabilities = Capabilities {
    checksum: ChecksumOffload::all(),
    segmentation: SegmentationOffload::TCP_V4,
    max_large_frame: 65_535,
};

/// Runs `app` behind a gateway.
pub(super) async fn run<A: Networked>(app: A, network: &Network, start: Start) -> Result<Exit, Failure> {
    let host = HostStack::new(start.machine.reactor());
    let mut random = SeededGenerator::new(&mut KernelEntropy)?;
    let neighbour = |offset: u32| Ipv4Addr::from_bits(network.address.network().to_bits() | offset);
    let gateway = network.gateway.unwrap_or_else(|| neighbour(2));
    let config = Config {
        gateway: Ipv4Cidr::new(gateway, network.address.prefix())?,
        guest: network.address.address(),
        dns: neighbour(3),
        resolver: resolver(),
        forwards: network.forwards.to_vec().into_iter().map(forward).collect(),
        ..Config::default()
    };
    let mut mac = || {
        let mut bits = [0; 6];
        random.fill_bytes(&mut bits);
        MacAddress::local(bits)
    };
    let cable = Cable::new(MTU, SLOTS).with_capabilities(CAPABILITIES).with_verified().with_macs([mac(), mac()]);
    let (near, far) = cable.connect();
    let gateway_itself = Gateway::new(far, host, config, &mut random)?;
    // Where port 0 was asked for, the host has chosen by now.
    for chosen in gateway_itself.forwards() {
        network.forwards.set(back(chosen));
    }
    let timer = start.context.timer().clone();
    let reach = Reach::Forwarded(network.forwards.clone());
    let stack = own::stack(
        near,
        (network.address, Some(gateway)),
        &mut random,
        Storage::allocate(Sizes::default()),
        mirage_tcpip::Config::default(),
    )?;
    let image = own::run(app, stack, start.context.with_network(reach, Box::new(stack)));
    // The gateway first: its doors are open before the application says that it is ready.
    match until(gateway_itself.run(&timer, &timer), image).await {
        Ok(Err(error)) => Err(error.into()),
        Err(exit) => exit,
    }
}

fn forward(forward: Forward) -> mirage_usernet::Forward {
    let transport = match forward.service.protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
    };
    mirage_usernet::Forward { transport, host: forward.host, guest: forward.service.port }
}

/// The same forward in our own words.
fn back(forward: &mirage_usernet::Forward) -> Forward {
    let protocol = match forward.transport {
        Transport::Tcp => Protocol::Tcp,
        Transport::Udp => Protocol::Udp,
    };
    Forward { host: forward.host, service: Service { protocol, port: forward.guest } }
}
