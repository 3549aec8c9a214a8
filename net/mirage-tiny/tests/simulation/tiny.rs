//! A small host in the laboratory.

use core::cell::Cell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Context;

use mirage_clock::Instant;
use mirage_net::{MacAddress, Net, Transmit as _};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tiny::{Count, ErrorKind, Ipv4Cidr, Progress, Sizes, Stack, Storage, TcpListener, TcpStream};
use mirage_vnetif::{Impairments, Node, NodeConfig, NodeId};

use crate::lab::host::Driven;
use crate::lab::tasks::Woken;
use crate::lab::{Lab, lan};

/// A small stack and its place in the network.
pub struct Tiny<N = Node> {
    pub stack: Stack<'static, N>,
    pub address: Ipv4Addr,
    pub id: NodeId,
    pub mac: MacAddress,
    woken: Woken,
    progress: Cell<Progress>,
}

/// A node whose link does `impairments` both ways.
pub fn node(lab: &Lab, impairments: &Impairments) -> Node {
    let (outbound, inbound) = (impairments.clone(), impairments.clone());
    lab.network().node(NodeConfig { outbound, inbound, ..NodeConfig::default() })
}

impl Tiny {
    /// A host at `10.0.0.number/8` on a good link, with the usual sizes.
    pub fn new(lab: &Lab, number: u8) -> Self {
        Self::with(lab, number, Sizes::default())
    }

    /// The same with other sizes.
    pub fn with(lab: &Lab, number: u8, sizes: Sizes) -> Self {
        let node = node(lab, &lan());
        Self::on(node.id(), node, number, sizes)
    }
}

impl<N: Net> Tiny<N> {
    /// A host at `10.0.0.number/8` on `device`, which is `id` in the network.
    pub fn on(id: NodeId, mut device: N, number: u8, sizes: Sizes) -> Self {
        let mac = device.split().1.mac();
        let stack = Stack::new(device, Storage::allocate(sizes), [number; 16]);
        let address = Ipv4Addr::new(10, 0, 0, number);
        stack.set_address(Ipv4Cidr::new(address, 8).expect("8 is a prefix length"));
        let progress = Cell::new(Progress { more: false, next: None });
        Self { stack, address, id, mac, woken: Woken::default(), progress }
    }

    /// Its address.
    pub fn ip(&self) -> IpAddr {
        self.address.into()
    }

    /// Its end with `port`.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip(), port)
    }

    /// How often `count` was.
    pub fn count(&self, count: Count) -> u64 {
        self.stack.counters().get(count)
    }

    pub fn listen(&self, port: u16) -> TcpListener<'_, 'static> {
        self.listen_with(port, ListenOptions::default())
    }

    pub fn listen_with(&self, port: u16, options: ListenOptions) -> TcpListener<'_, 'static> {
        let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        (&self.stack).listen(any, options).expect("the port is free")
    }

    pub async fn connect(&self, to: SocketAddr) -> Result<TcpStream<'_, 'static>, ErrorKind> {
        (&self.stack).connect(to, TcpOptions::default()).await
    }
}

impl<N: Net> Driven for Tiny<N> {
    fn drive(&self, now: Instant) -> bool {
        let Progress { more, next } = self.progress.get();
        let woken = self.woken.take();
        if !(woken || more || next.is_some_and(|next| next <= now)) {
            return false;
        }
        let mut cx = Context::from_waker(&self.woken.waker);
        self.progress.set(self.stack.poll(now, &mut cx).expect("the network is there"));
        true
    }

    fn next(&self) -> Option<Instant> {
        self.progress.get().next
    }
}
