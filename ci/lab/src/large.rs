//! Hosts with the stack of `mirage-tcpip`.

use core::net::Ipv4Addr;
use core::task::Context;

use mirage_clock::Instant;
use mirage_net::{Net, Transmit as _};
use mirage_protocols::Ipv4Cidr;
use mirage_tcpip::{Config, Counters, Profile, Sizes, Stack, Storage};
use mirage_vnetif::{Impairments, Node, NodeConfig, NodeId};

use crate::{Damaging, Dice, Host, Lab, Polled, Progress, both_ways, lan};

/// A host with the stack of `mirage-tcpip`.
pub type Large<N = Node> = Host<Stack<'static, N>>;

/// What such a host shall be like.
#[derive(Clone)]
pub struct HostConfig {
    /// Its device and link.
    pub node: NodeConfig,
    /// Its limits.
    pub stack: Config,
    /// Its memory.
    pub sizes: Sizes,
}

impl Default for HostConfig {
    /// Ethernet with 100 µs of delay each way, and two megabytes of buffers.
    fn default() -> Self {
        let sizes = Sizes { connections: 256, half_open: 64, time_wait: 256, blocks: 1024, ..Sizes::default() };
        Self { node: both_ways(&lan()), stack: Config::default(), sizes }
    }
}

impl HostConfig {
    /// The same with another MTU.
    pub fn with_mtu(mut self, mtu: usize) -> Self {
        self.node.mtu = mtu;
        self
    }

    /// The same with another link.
    pub fn with_link(mut self, impairments: &Impairments) -> Self {
        self.node.outbound = impairments.clone();
        self.node.inbound = impairments.clone();
        self
    }
}

impl Lab {
    /// A host at `10.0.0.number/8` on a link with a delay of 100 µs each way.
    pub fn host(&self, number: u8) -> Large {
        self.host_with(number, HostConfig::default())
    }

    /// A host at `10.0.0.number/8`, as told.
    pub fn host_with(&self, number: u8, config: HostConfig) -> Large {
        let node = self.node(config.node.clone());
        self.host_on(node.id(), node, number, config)
    }

    /// A host at `10.0.0.number/8` whose device damages one byte of every `one_in`-th packet it takes in.
    pub fn damaged_host(&self, number: u8, one_in: u32) -> Large<Damaging> {
        let config = HostConfig::default();
        let node = self.node(config.node.clone());
        self.host_on(node.id(), Damaging::new(node, one_in, self.seed), number, config)
    }

    fn host_on<N: Net>(&self, id: NodeId, mut device: N, number: u8, config: HostConfig) -> Large<N> {
        let mac = device.split().1.mac();
        let mut dice = Dice(self.seed.wrapping_mul(256) + u64::from(number));
        let stack = Stack::new(device, config.stack, Storage::allocate(config.sizes), &mut dice);
        let address = Ipv4Addr::new(10, 0, 0, number);
        stack.add_address(Ipv4Cidr::new(address, 8).expect("8 is a prefix length")).expect("there is room");
        Host::new(id, mac, address, stack)
    }
}

impl<N: Net, P: Profile> Polled for Stack<'_, N, P> {
    fn poll(&self, now: Instant, cx: &mut Context<'_>) -> Progress {
        self.poll(now, cx).expect("the network is there")
    }
}

impl<N: Net> Large<N> {
    /// What the stack counts.
    pub fn counters(&self) -> Counters {
        self.stack.counters()
    }

    /// What its TCP counts.
    pub fn tcp(&self) -> mirage_tcp::Stats {
        self.counters().tcp
    }

    /// The count of one reason to discard.
    pub fn discarded(&self, layer: &str, reason: &str) -> u64 {
        let mut found = None;
        self.counters().visit_discards(|at, name, count| {
            if at.strip_prefix("discard.") == Some(layer) && name == reason {
                found = Some(count);
            }
        });
        found.unwrap_or_else(|| panic!("{layer} has no reason called {reason}"))
    }

    /// Asserts that nothing is left of any connection.
    pub fn assert_empty(&self) {
        let tcp = self.tcp();
        assert_eq!((tcp.connections, tcp.half_open, tcp.blocks_in_use), (0, 0, 0), "something is left: {tcp:?}");
    }
}
