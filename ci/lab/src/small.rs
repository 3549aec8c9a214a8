//! Hosts with the stack of `mirage-tiny`.

use core::net::Ipv4Addr;
use core::task::Context;

use mirage_clock::Instant;
use mirage_net::{Net, Transmit as _};
use mirage_protocols::Ipv4Cidr;
use mirage_tiny::{Count, Sizes, Stack, Storage};
use mirage_vnetif::{Node, NodeConfig, NodeId};

use crate::{Damaging, Host, Lab, Polled, Progress, both_ways, lan};

/// A host with the stack of `mirage-tiny`.
pub type Small<N = Node> = Host<Stack<'static, N>>;

impl Lab {
    /// A small host at `10.0.0.number/8` on a link with a delay of 100 µs each way, with the usual sizes.
    pub fn small(&self, number: u8) -> Small {
        self.small_with(number, both_ways(&lan()), Sizes::default())
    }

    /// A small host at `10.0.0.number/8`, as told.
    pub fn small_with(&self, number: u8, config: NodeConfig, sizes: Sizes) -> Small {
        let node = self.node(config);
        small_on(node.id(), node, number, sizes)
    }

    /// A small host at `10.0.0.number/8` whose device damages one byte of every `one_in`-th packet it takes in.
    pub fn damaged_small(&self, number: u8, one_in: u32, sizes: Sizes) -> Small<Damaging> {
        let node = self.node(both_ways(&lan()));
        small_on(node.id(), Damaging::new(node, one_in, self.seed + u64::from(number)), number, sizes)
    }
}

fn small_on<N: Net>(id: NodeId, mut device: N, number: u8, sizes: Sizes) -> Small<N> {
    let mac = device.split().1.mac();
    let stack = Stack::new(device, Storage::allocate(sizes), [number; 16]);
    let address = Ipv4Addr::new(10, 0, 0, number);
    stack.set_address(Ipv4Cidr::new(address, 8).expect("8 is a prefix length"));
    Host::new(id, mac, address, stack)
}

impl<N: Net> Polled for Stack<'_, N> {
    fn poll(&self, now: Instant, cx: &mut Context<'_>) -> Progress {
        let mirage_tiny::Progress { more, next } = self.poll(now, cx).expect("the network is there");
        Progress { more, next }
    }
}

impl<N: Net> Small<N> {
    /// How often `count` was.
    pub fn count(&self, count: Count) -> u64 {
        self.stack.counters().get(count)
    }
}
