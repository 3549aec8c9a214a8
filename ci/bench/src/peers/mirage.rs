//! Our stack on a cable that lends its slots, with the defaults a user gets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mirage_clock::Instant;
use mirage_net::{Capabilities, ChecksumOffload, SegmentationOffload};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Came, Config, Ipv4Cidr, Sizes, Stack, Storage, TcpListener, TcpStream, UdpSocket};
use mirage_vnetif::CableEnd;

use super::{Cable, FRAMES, Offload, Pair, Who, World};

type Host = Stack<'static, CableEnd>;
type Stream = TcpStream<'static, 'static>;

/// Two of our stacks. They are leaked: handles borrow them, and the process ends soon.
pub(crate) struct Mirage {
    client: &'static Host,
    server: &'static Host,
    listener: TcpListener<'static, 'static>,
    pairs: Vec<Option<(Stream, Stream)>>,
    sender: UdpSocket<'static, 'static, CableEnd>,
    echo: UdpSocket<'static, 'static, CableEnd>,
    now: u64,
}

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

/// Longest frame that carries several segments.
const LARGE: usize = 65_535;

fn sizes(connections: usize, buffer: usize) -> Sizes {
    Sizes {
        connections,
        half_open: 16,
        time_wait: 64,
        listeners: 1,
        // As much as the peer is given: two buffers for each connection, one block at least for each.
        blocks: (connections * 2 * buffer.div_ceil(2000)).min(16_384),
        ..Sizes::default()
    }
}

fn host(device: CableEnd, last: u8, connections: usize, buffer: usize) -> &'static Host {
    let mut random = Fixed(u64::from(last));
    let storage = Storage::allocate(sizes(connections, buffer));
    let mut config = Config::default();
    config.tcp.receive_window = buffer.max(8192) as u32;
    config.tcp.send_buffer = buffer.max(8192) as u32;
    let stack = Stack::new(device, config, storage, &mut random);
    let address = Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, last), 24).expect("24 is at most 32");
    stack.add_address(address).expect("there is room for one address");
    Box::leak(Box::new(stack))
}

/// The same numbers in every run.
struct Fixed(u64);

impl mirage_random::TryRng for Fixed {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|word| word as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0 ^ (self.0 >> 29))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

impl mirage_random::TryCryptoRng for Fixed {}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn count(result: Poll<Result<usize, mirage_tcpip::ErrorKind>>) -> usize {
    match result {
        Poll::Ready(result) => result.expect("the connection holds"),
        Poll::Pending => 0,
    }
}

impl Mirage {
    fn host(&self, who: Who) -> &'static Host {
        match who {
            Who::Client => self.client,
            Who::Server => self.server,
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.now)
    }
}

impl World for Mirage {
    fn new(cable: Cable, connections: usize, buffer: usize) -> Self {
        let (mut capabilities, mut frames) = (Capabilities::default(), FRAMES);
        if cable.offload != Offload::Nothing {
            capabilities.checksum = ChecksumOffload::TCP_V4 | ChecksumOffload::UDP_V4;
        }
        if cable.offload == Offload::Segments {
            capabilities.segmentation = SegmentationOffload::TCP_V4;
            capabilities.max_large_frame = LARGE;
            frames = (FRAMES * (cable.mtu + 14)).div_ceil(LARGE);
        }
        let (a, b) = mirage_vnetif::Cable::new(cable.mtu, frames).with_capabilities(capabilities).connect();
        let client = host(a, 1, connections, buffer);
        let server = host(b, 2, connections, buffer);
        let any = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        let options = ListenOptions { backlog: 16, tcp: TcpOptions::default() };
        let listener = server.listen(any(80), options).expect("the port is free");
        let sender = client.bind(any(7)).expect("the port is free");
        let echo = server.bind(any(7)).expect("the port is free");
        Self { client, server, listener, pairs: Vec::new(), sender, echo, now: 0 }
    }

    fn connect(&mut self) -> Pair {
        let remote = SocketAddr::new(SERVER, 80);
        let client = self.client;
        let mut opening = pin!(async move { (&client).connect(remote, TcpOptions::default()).await });
        let mut opened = None;
        let mut accepted = None;
        for _ in 0..1000 {
            if opened.is_none()
                && let Poll::Ready(stream) = opening.as_mut().poll(&mut context())
            {
                opened = Some(stream.expect("the server listens"));
            }
            if opened.is_some() && accepted.is_some() {
                break;
            }
            self.poll();
            if accepted.is_none()
                && let Poll::Ready(stream) = self.listener.poll_accept(&mut context())
            {
                accepted = Some(stream.expect("the listener is open"));
            }
        }
        self.pairs.push(Some(opened.zip(accepted).expect("the connection is established")));
        Pair(self.pairs.len() - 1)
    }

    fn close(&mut self, pair: Pair) {
        let (client, server) = self.pairs[pair.0].take().expect("the pair is open");
        drop(server);
        self.poll();
        drop(client);
        // The FIN and its acknowledgement. Were that not all, the next connection would find no slot: to ask each time would
        // measure the copying of all counters.
        self.poll();
        self.poll();
        self.pairs.pop();
    }

    fn poll_end(&mut self, who: Who) {
        self.now += 5;
        std::hint::black_box(self.host(who).poll(self.now(), &mut context())).expect("the cable is in");
    }

    fn take_in(&mut self, who: Who) {
        self.now += 5;
        while self.host(who).poll_ingress(self.now(), &mut context()).expect("the cable is in") == Came::Some {}
    }

    fn send_out(&mut self, who: Who) {
        while std::hint::black_box(self.host(who).poll_egress(self.now(), &mut context()))
            .expect("the cable is in")
            .more
        {}
    }

    fn client_send(&mut self, pair: Pair, data: &[u8]) -> usize {
        let (client, _) = self.pairs[pair.0].as_mut().expect("the pair is open");
        count(client.poll_write(&mut context(), data))
    }

    fn client_receive(&mut self, pair: Pair, buffer: &mut [u8]) -> usize {
        let (client, _) = self.pairs[pair.0].as_mut().expect("the pair is open");
        count(client.poll_read(&mut context(), buffer))
    }

    fn server_send(&mut self, pair: Pair, data: &[u8]) -> usize {
        let (_, server) = self.pairs[pair.0].as_mut().expect("the pair is open");
        count(server.poll_write(&mut context(), data))
    }

    fn server_receive(&mut self, pair: Pair, buffer: &mut [u8]) -> usize {
        let (_, server) = self.pairs[pair.0].as_mut().expect("the pair is open");
        count(server.poll_read(&mut context(), buffer))
    }

    fn client_write_in_place(&mut self, pair: Pair, most: usize) -> usize {
        let (client, _) = self.pairs[pair.0].as_mut().expect("the pair is open");
        count(client.poll_write_each(&mut context(), most, |space| space.put_zeroes(space.remaining())))
    }

    fn server_read_in_place(&mut self, pair: Pair) -> usize {
        let (_, server) = self.pairs[pair.0].as_mut().expect("the pair is open");
        count(server.poll_read_each(&mut context(), |bytes| std::hint::black_box(bytes).len()))
    }

    fn udp_echo(&mut self, batch: usize) {
        let payload = [0x5a; 64];
        let mut buffer = [0; 64];
        for _ in 0..batch {
            let sent = self.sender.poll_send(&mut context(), None, &payload, SocketAddr::new(SERVER, 7));
            assert_eq!(sent, Poll::Ready(Ok(())), "the queue has room for a batch");
        }
        let mut answered = 0;
        for _ in 0..1000 {
            self.poll();
            while let Poll::Ready(Ok(datagram)) = self.echo.poll_recv(&mut context(), &mut buffer) {
                let sent = self.echo.poll_send(&mut context(), None, &buffer[..datagram.len], datagram.remote);
                assert_eq!(sent, Poll::Ready(Ok(())), "the queue has room for a batch");
            }
            self.poll();
            while self.sender.poll_recv(&mut context(), &mut buffer).is_ready() {
                answered += 1;
            }
            if answered == batch {
                return;
            }
        }
        panic!("our stack answered {answered} of {batch}");
    }

    fn idle_bytes() -> usize {
        let (with, without) = (sizes(10_000, 1024), sizes(0, 1024));
        let slots = (with.tcp_table_bytes() - without.tcp_table_bytes()) / 10_000;
        // Buffers that an idle connection holds: counted, not assumed.
        let mut world = Self::new(Cable { mtu: 1500, offload: Offload::Nothing }, 100, 1024);
        for _ in 0..100 {
            world.connect();
        }
        let blocks = world.server.counters().tcp.blocks_in_use as usize;
        slots + (blocks * size_of::<mirage_tcp::Block>()).div_ceil(100)
    }
}
