//! The stacks of ours, on the device `service`.

#![allow(
    private_interfaces,
    private_bounds,
    reason = "the trait cannot be named outside: what it takes and gives is ours alone"
)]

use alloc::boxed::Box;
use core::future::Future;

use managed::ManagedSlice;
use mirage_random::{Rng as _, SeededGenerator};
use mirage_tcp::Profile;
use mirage_tcpip::{Config, Fragmentation, Sizes, Storage, Tables as _};

use super::net::Network;
use super::tables::Cut;
use crate::boot::{Start, until};
use crate::network::Reach;
use crate::network::own::{self, Failure};
use crate::target::Net;
use crate::tcpip::{Tiny, Unfragmented, Whole};
use crate::{Device, Exit, Networked, Stats, image};

/// What makes a stack and runs an application on it. Only the stacks that there are can.
pub trait Assemble {
    /// Runs `app` on a stack.
    #[doc(hidden)]
    fn run<A: Networked>(app: A, network: Network, start: Start) -> impl Future<Output = Result<Exit, Failure>>;
}

impl<P: Profile> Assemble for Whole<P> {
    fn run<A: Networked>(app: A, network: Network, start: Start) -> impl Future<Output = Result<Exit, Failure>> {
        whole::<A, P>(app, network, start, Config::new(Fragmentation::BOTH_WAYS), sizes(image::memory()))
    }
}

impl<P: Profile> Assemble for Unfragmented<P> {
    fn run<A: Networked>(app: A, network: Network, start: Start) -> impl Future<Output = Result<Exit, Failure>> {
        let sizes = Sizes { fragments: 0, ..sizes(image::memory()) };
        whole::<A, P>(app, network, start, Config::new(Fragmentation::NONE), sizes)
    }
}

async fn whole<A: Networked, P: Profile>(
    app: A,
    network: Network,
    start: Start,
    config: Config,
    sizes: Sizes,
) -> Result<Exit, Failure> {
    let device = start.machine.net(Device::SERVICE.name)?;
    let mut random = SeededGenerator::new(&mut start.machine.entropy())?;
    let storage = Storage::<P>::build(sizes, &mut Cut);
    let stack = own::stack(device, (network.address, network.gateway), &mut random, storage, config)?;
    let context = start.context.with_network(Reach::Address(network.address.address()), Box::new(stack));
    own::run(app, stack, context).await
}

impl Assemble for Tiny {
    async fn run<A: Networked>(app: A, network: Network, start: Start) -> Result<Exit, Failure> {
        let device = start.machine.net(Device::SERVICE.name)?;
        let mut secret = [0; 16];
        SeededGenerator::new(&mut start.machine.entropy())?.fill_bytes(&mut secret);
        // For good: an image has one.
        let stack: &'static TinyStack = Box::leak(Box::new(mirage_tiny::Stack::new(device, tiny_storage(), secret)));
        stack.set_address(network.address);
        if let Some(gateway) = network.gateway {
            stack.set_gateway(gateway);
        }
        let context = start.context.with_network(Reach::Address(network.address.address()), Box::new(stack));
        let timer = context.timer().clone();
        match until(app.run(stack, context), stack.run(&timer, &timer)).await {
            Ok(exit) => Ok(exit),
            Err(Err(disconnected)) => Err(disconnected.into()),
        }
    }
}

type TinyStack = mirage_tiny::Stack<'static, Net>;

impl Stats for &'static TinyStack {
    fn each(&self, visit: &mut dyn FnMut(&str, u64)) {
        self.visit_counters(&mut |layer, name, value| own::show(visit, layer, name, value));
    }
}

/// What the small stack may have: half of the memory for buffers.
fn tiny_storage() -> mirage_tiny::Storage<'static> {
    let memory = image::memory();
    let Sizes { udp_sockets, neighbours, listeners, .. } = sizes(memory);
    let connections = (memory / 40_960).clamp(32, 512);
    let buffer = (memory / 4 / connections).min(65_535);
    let datagrams = udp_sockets * (memory / 256).clamp(4_096, 32_768);
    mirage_tiny::Storage {
        connections: table(connections),
        buffers: Cut.zeroes(2 * connections * buffer),
        listeners: table(listeners),
        wakers: table(2 * (connections + listeners)),
        neighbours: table(neighbours),
        waiting: Cut.zeroes(1_514),
        sockets: table(udp_sockets),
        datagrams: Cut.zeroes(datagrams),
        socket_wakers: table(2 * udp_sockets),
    }
}

fn table<T: Default>(count: usize) -> ManagedSlice<'static, T> {
    Cut.table(count, T::default)
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
