//! A host: a stack on a device of the network.

use core::cell::Cell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Context;

use mirage_clock::Instant;
use mirage_net::{MacAddress, Net, Transmit as _};
use mirage_protocols::Ipv4Cidr;
use mirage_stack::{ListenOptions, Stack as _, TcpListener as _, TcpOptions};
use mirage_tcpip::{Config, Counters, ErrorKind, Progress, Sizes, Stack, Storage, TcpListener, TcpStream};
use mirage_vnetif::{Node, NodeConfig, NodeId};
use rand_core::{TryCryptoRng, TryRng};

use super::lan;
use super::tasks::Woken;

/// What a host shall be like.
#[derive(Clone)]
pub struct HostConfig {
    pub node: NodeConfig,
    pub stack: Config,
    pub sizes: Sizes,
}

impl Default for HostConfig {
    /// Ethernet with 100 µs of delay each way, and two megabytes of buffers.
    fn default() -> Self {
        let sizes = Sizes { connections: 256, half_open: 64, time_wait: 256, blocks: 1024, ..Sizes::default() };
        let node = NodeConfig { outbound: lan(), inbound: lan(), ..NodeConfig::default() };
        Self { node, stack: Config::default(), sizes }
    }
}

impl HostConfig {
    /// The same with another MTU.
    pub fn with_mtu(mut self, mtu: usize) -> Self {
        self.node.mtu = mtu;
        self
    }

    /// The same with another link.
    pub fn with_link(mut self, impairments: &mirage_vnetif::Impairments) -> Self {
        self.node.outbound = impairments.clone();
        self.node.inbound = impairments.clone();
        self
    }
}

/// A stack and its place in the network.
pub struct Host<N = Node> {
    pub stack: Stack<'static, N>,
    pub address: IpAddr,
    pub id: NodeId,
    pub mac: MacAddress,
    woken: Woken,
    progress: Cell<Progress>,
}

/// A stack, whatever its device, to those who run it.
pub trait Driven {
    /// Polls the stack if it wants to be polled; says whether it did.
    fn drive(&self, now: Instant) -> bool;

    /// When it wants to be polled even if nothing arrives.
    fn next(&self) -> Option<Instant>;
}

impl<N: Net> Host<N> {
    pub(super) fn new(id: NodeId, mut device: N, number: u8, seed: u64, config: HostConfig) -> Self {
        let mac = device.split().1.mac();
        let mut dice = Dice(seed.wrapping_mul(256) + u64::from(number));
        let stack = Stack::new(device, config.stack, Storage::allocate(config.sizes), &mut dice);
        let address = Ipv4Addr::new(10, 0, 0, number);
        stack.add_address(Ipv4Cidr::new(address, 8).expect("8 is a prefix length")).expect("there is room");
        let progress = Cell::new(Progress { more: false, next: None });
        Self { stack, address: address.into(), id, mac, woken: Woken::default(), progress }
    }

    /// Its end with `port`.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, port)
    }

    pub fn counters(&self) -> Counters {
        self.stack.counters()
    }

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

    /// A connection to `server`, and what its listener gives.
    pub async fn pair<'a, M: Net>(
        &'a self,
        server: &'a Host<M>,
        port: u16,
    ) -> (TcpStream<'a, 'static>, TcpStream<'a, 'static>) {
        let mut listener = server.listen(port);
        let here = self.connect(server.at(port)).await.expect("the server listens");
        let there = listener.accept().await.expect("a connection waits");
        (here, there)
    }

    /// Asserts that nothing is left of any connection.
    pub fn assert_empty(&self) {
        let tcp = self.tcp();
        assert_eq!((tcp.connections, tcp.half_open, tcp.blocks_in_use), (0, 0, 0), "something is left: {tcp:?}");
    }
}

impl<N: Net> Driven for Host<N> {
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

/// SplitMix64: good enough for tests, and the same each time.
pub struct Dice(pub u64);

impl TryRng for Dice {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let random = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Dice {}
