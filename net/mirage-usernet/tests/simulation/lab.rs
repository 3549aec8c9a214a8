//! A guest on a cable to the gateway, the gateway's host on a network, and a server there.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use mirage_clock::testing::MockClock;
use mirage_clock::{Duration, Instant};
use mirage_net::{Capabilities, ChecksumOffload, Net, SegmentationOffload};
use mirage_stack::{ListenOptions, Stack as _, TcpListener as _, TcpOptions};
use mirage_tcpip::{ErrorKind, Sizes, Stack, Storage, TcpListener, TcpStream, UdpSocket};
use mirage_usernet::{Config, Error, Forward, Gateway, Transport};
use mirage_vnetif::{Cable, CableEnd, Impairments, Network, Node, NodeConfig};

use crate::common::{Alarm, Background, Dice, ms, run, s};

/// The gateway of the tests.
pub(crate) type TestGateway<'a> = Gateway<CableEnd, &'a Stack<'static, Node>>;

/// Everything but the gateway itself.
pub(crate) struct Lab {
    pub(crate) alarm: Alarm<MockClock>,
    network: RefCell<Network>,
    pub(crate) guest: Stack<'static, CableEnd>,
    /// The far end of the guest's cable, for the gateway.
    far: Cell<Option<CableEnd>>,
    pub(crate) host: Stack<'static, Node>,
    pub(crate) server: Stack<'static, Node>,
    /// Whether the guest's stack stands still.
    pub(crate) frozen: Cell<bool>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let mut network = Network::new(1);
        // As `--net=user` does: offloads in memory cost nothing.
        let capabilities = Capabilities {
            checksum: ChecksumOffload::all(),
            segmentation: SegmentationOffload::TCP_V4,
            max_large_frame: 65_535,
        };
        let (near, far) = Cable::new(1_500, 64).with_capabilities(capabilities).with_verified().connect();
        let guest = stack(near, "10.0.2.15/24");
        guest.set_gateway("10.0.2.2".parse().expect("an address")).expect("there is room");
        let mut node = || {
            let link = Impairments::default().with_delay(Duration::from_micros(100));
            network.node(NodeConfig { outbound: link.clone(), inbound: link, ..NodeConfig::default() })
        };
        let (host, server) = (stack(node(), "192.0.2.2/24"), stack(node(), "192.0.2.1/24"));
        Self {
            alarm: Alarm::new(MockClock::new()),
            network: RefCell::new(network),
            guest,
            far: Cell::new(Some(far)),
            host,
            server,
            frozen: Cell::new(false),
        }
    }

    /// The gateway, as told.
    pub(crate) fn gateway(&self, config: Config) -> TestGateway<'_> {
        self.try_gateway(config).expect("the configuration is sound")
    }

    pub(crate) fn try_gateway(&self, config: Config) -> Result<TestGateway<'_>, Error> {
        let far = self.far.take().expect("there is one gateway in each laboratory");
        Gateway::new(far, &self.host, config, &mut Dice(9))
    }

    /// Runs `main` to its end, with the gateway and all stacks beside it.
    pub(crate) fn run<T>(&self, gateway: &TestGateway<'_>, main: impl Future<Output = T>) -> T {
        let alarm = &self.alarm;
        self.run_beside(Background::default().with(gateway.run(alarm, alarm)), main)
    }

    /// Runs `main` to its end, with all stacks and `background` beside it.
    pub(crate) fn run_beside<T>(&self, background: Background<'_>, main: impl Future<Output = T>) -> T {
        let alarm = &self.alarm;
        let background = background
            .with(self.guest_unless_frozen())
            .with(self.host.run(alarm, alarm))
            .with(self.server.run(alarm, alarm));
        let end = alarm.clock_now() + s(3_600);
        run(background, main, || {
            let network = self.network.borrow().next_event();
            let next = network.into_iter().chain(alarm.next()).min().expect("nothing will ever happen again");
            assert!(next <= end, "the test still waits after an hour");
            alarm.clock.advance_to(next);
            self.network.borrow_mut().advance_to(next);
            alarm.ring();
        })
    }

    async fn guest_unless_frozen(&self) {
        let mut guest = pin!(self.guest.run(&self.alarm, &self.alarm));
        poll_fn(|cx| if self.frozen.get() { Poll::Pending } else { guest.as_mut().poll(cx).map(drop) }).await;
    }

    pub(crate) async fn sleep(&self, span: Duration) {
        self.alarm.sleep(span).await;
    }

    pub(crate) fn now(&self) -> Instant {
        self.alarm.clock_now()
    }
}

impl Alarm<MockClock> {
    fn clock_now(&self) -> Instant {
        mirage_clock::Monotonic::now(&self.clock)
    }
}

fn stack<N: Net>(device: N, address: &str) -> Stack<'static, N> {
    let sizes =
        Sizes { connections: 64, half_open: 16, time_wait: 64, blocks: 1024, udp_sockets: 256, ..Sizes::default() };
    let seed = address.bytes().fold(0, |seed, byte| seed * 31 + u64::from(byte));
    let stack = Stack::new(device, mirage_tcpip::Config::default(), Storage::allocate(sizes), &mut Dice(seed));
    stack.add_address(address.parse().expect("an address")).expect("there is room");
    stack
}

/// The default with these ports of the host leading to these of the guest.
pub(crate) fn forwarding(forwards: &[(Transport, u16, u16)]) -> Config {
    let forward = |&(transport, host, guest): &(_, u16, _)| Forward { transport, host: at("192.0.2.2", host), guest };
    Config { forwards: forwards.iter().map(forward).collect(), ..Config::default() }
}

pub(crate) fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().expect("an address"), port)
}

pub(crate) const SERVER: &str = "192.0.2.1";
pub(crate) const HOST: &str = "192.0.2.2";

pub(crate) fn listen<'a, N: Net>(stack: &'a Stack<'static, N>, port: u16) -> TcpListener<'a, 'static> {
    (&stack).listen(at("0.0.0.0", port), ListenOptions::default()).expect("the port is free")
}

pub(crate) fn bind<'a, N: Net>(stack: &'a Stack<'static, N>, port: u16) -> UdpSocket<'a, 'static, N> {
    (&stack).bind(at("0.0.0.0", port)).expect("the port is free")
}

pub(crate) async fn connect<'a, N: Net>(
    stack: &'a Stack<'static, N>,
    to: SocketAddr,
) -> Result<TcpStream<'a, 'static>, ErrorKind> {
    (&stack).connect(to, TcpOptions::default()).await
}

/// The two ends of a connection from `client` to `to`, which is where `server` is found with its `port`.
pub(crate) async fn pair<'a, C: Net, S: Net>(
    client: &'a Stack<'static, C>,
    to: SocketAddr,
    server: &'a Stack<'static, S>,
    port: u16,
) -> (TcpStream<'a, 'static>, TcpStream<'a, 'static>) {
    let mut listener = listen(server, port);
    let one = connect(client, to).await.expect("the way is open");
    (one, listener.accept().await.expect("a connection comes through"))
}

/// Asserts that no connection and no conversation is left in the gateway, and none of its sockets on the host. Gives
/// the last segments of a connection time to pass.
pub(crate) async fn assert_nothing_is_left(lab: &Lab, gateway: &TestGateway<'_>, doors: usize) {
    lab.sleep(ms(500)).await;
    let counters = gateway.counters();
    assert_eq!((counters.connections, counters.conversations), (0, 0), "{counters:?}");
    let host = lab.host.counters();
    assert_eq!((host.tcp.connections, host.udp.sockets), (0, doors), "{:?} {:?}", host.tcp, host.udp);
    assert_eq!(gateway.stack_counters().tcp.connections, 0, "{:?}", gateway.stack_counters().tcp);
}
