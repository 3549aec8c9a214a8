//! Our machine on a simulated line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Context, Poll, Waker};

use mirage_clock::Instant;
use mirage_net::{Capabilities, FrameWriter, SendError};
use mirage_protocols::{Ip, Packet, Received};
use mirage_tcp::{
    Block, Config, ConnectionId, HalfOpenSlot, ListenOptions, ListenerId, ListenerSlot, Local, ManagedSlice, Profile,
    RunSlot, Secrets, Slot, Storage, Tcp, TcpOptions, TimeWaitSlot, TimerSlot,
};
use mirage_waker::WakerPool;

use super::line::Path;
use super::transfer::{self, End};
use super::{BUFFER, SPAN};

/// Bytes that arrive at the application within [`SPAN`].
pub(crate) fn delivered<P: Profile>(path: Path, seed: u64) -> u64 {
    let (mut here, mut there) = (Arena::<P>::new(), Arena::<P>::new());
    let mut sender = Host::new(&mut here, SENDER, seed);
    let mut receiver = Host::new(&mut there, RECEIVER, seed);
    receiver.role = Role::Waits(receiver.tcp.listen(door(), ListenOptions::default()).expect("there is a slot"));
    let remote = SocketAddr::new(RECEIVER, 80);
    let id = sender.tcp.connect(Instant::ZERO, SENDER, None, remote, TcpOptions::default());
    sender.role = Role::Writes(id.expect("there is a slot"));
    transfer::run(&mut sender, &mut receiver, path, seed, SPAN.as_nanos() as u64);
    receiver.delivered
}

/// Everything a machine can do, with CUBIC.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WithCubic {}
/// Everything a machine can do, with BBR.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WithBbr {}
/// Everything a machine can do, with Reno.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WithReno {}

impl Profile for WithCubic {
    type Congestion = mirage_cubic::Cubic;
}
impl Profile for WithBbr {
    type Congestion = mirage_bbr::Bbr;
}
impl Profile for WithReno {
    type Congestion = mirage_congestion::Reno;
}

const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const RECEIVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

fn door() -> Local {
    Local { address: None, port: 80.try_into().ok() }
}

/// The storage of one machine.
struct Arena<P: Profile> {
    connections: Vec<Slot<P>>,
    buckets: Vec<u32>,
    listeners: Vec<ListenerSlot>,
    time_wait: Vec<TimeWaitSlot>,
    half_open: Vec<HalfOpenSlot>,
    timers: Vec<TimerSlot>,
    blocks: Vec<Block>,
    runs: Vec<RunSlot>,
    wakers: Vec<mirage_waker::Slot>,
}

impl<P: Profile> Arena<P> {
    fn new() -> Self {
        Self {
            connections: vec![Slot::default(); 1],
            buckets: vec![0; Storage::buckets_for(1, 1, 1, 1)],
            listeners: vec![ListenerSlot::default(); 1],
            time_wait: vec![TimeWaitSlot::default(); 1],
            half_open: vec![HalfOpenSlot::default(); 1],
            timers: vec![TimerSlot::default(); Storage::timers_for(1, 1)],
            // A connection may hold what others leave free: twice its buffer and the reserve.
            blocks: vec![Block::default(); 4 * BUFFER / 2000],
            runs: vec![RunSlot::default(); Storage::runs_for(4 * BUFFER / 2000)],
            wakers: (0..8).map(|_| mirage_waker::Slot::EMPTY).collect(),
        }
    }

    fn storage(&mut self) -> Storage<'_, P> {
        Storage {
            connections: ManagedSlice::Borrowed(&mut self.connections),
            buckets: ManagedSlice::Borrowed(&mut self.buckets),
            listeners: ManagedSlice::Borrowed(&mut self.listeners),
            time_wait: ManagedSlice::Borrowed(&mut self.time_wait),
            half_open: ManagedSlice::Borrowed(&mut self.half_open),
            timers: ManagedSlice::Borrowed(&mut self.timers),
            blocks: ManagedSlice::Borrowed(&mut self.blocks),
            runs: ManagedSlice::Borrowed(&mut self.runs),
            wakers: WakerPool::new(ManagedSlice::Borrowed(&mut self.wakers)),
        }
    }
}

/// What an application does.
enum Role {
    Waits(ListenerId),
    Reads(ConnectionId),
    Writes(ConnectionId),
    Rests,
}

struct Host<'s, P: Profile> {
    tcp: Tcp<'s, P>,
    ip: Wire,
    role: Role,
    buffer: Vec<u8>,
    delivered: u64,
}

impl<'s, P: Profile> Host<'s, P> {
    fn new(arena: &'s mut Arena<P>, address: IpAddr, seed: u64) -> Self {
        let config = Config {
            receive_window: BUFFER as u32,
            send_buffer: BUFFER as u32,
            out_of_order_bytes: BUFFER as u32,
            ..Config::default()
        };
        let tcp = Tcp::new(config, arena.storage(), Secrets::new([seed as u8; 64]));
        let ip = Wire { address, sent: Vec::new() };
        Self { tcp, ip, role: Role::Rests, buffer: vec![0x5a; 64 * 1024], delivered: 0 }
    }

    /// The application's turn: until it would have to wait.
    fn work(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        if let Role::Waits(listener) = self.role
            && let Poll::Ready(id) = self.tcp.poll_accept(listener, &mut cx)
        {
            self.role = Role::Reads(id.expect("the listener is open"));
        }
        match self.role {
            Role::Writes(id) => while self.tcp.poll_write(id, &mut cx, &self.buffer).is_ready() {},
            Role::Reads(id) => {
                while let Poll::Ready(count) = self.tcp.poll_read(id, &mut cx, &mut self.buffer) {
                    self.delivered += count.expect("the connection holds") as u64;
                }
            }
            Role::Waits(_) | Role::Rests => {}
        }
    }
}

impl<P: Profile> End for Host<'_, P> {
    fn receive(&mut self, now: u64, frame: &[u8]) {
        let from = if self.ip.address == SENDER { RECEIVER } else { SENDER };
        let _counted = self.tcp.input(Instant::from_nanos(now), &Received::new(from, self.ip.address, frame));
    }

    fn poll(&mut self, now: u64, out: &mut dyn FnMut(Vec<u8>, usize)) {
        let now = Instant::from_nanos(now);
        self.tcp.handle_timeout(now);
        self.work();
        while self.tcp.poll_transmit(now, &mut self.ip, 64).expect("the wire takes everything") {}
        for frame in self.ip.sent.drain(..) {
            let len = frame.len() + HEADERS;
            out(frame, len);
        }
    }

    fn next(&mut self, now: u64) -> Option<u64> {
        if self.tcp.wants_transmit() { Some(now) } else { self.tcp.poll_timeout().map(Instant::as_nanos) }
    }
}

/// Ethernet and IPv4.
const HEADERS: usize = 14 + 20;

/// An IP layer that only collects.
struct Wire {
    address: IpAddr,
    sent: Vec<Vec<u8>>,
}

impl Ip for Wire {
    fn source(&self, _: IpAddr) -> Option<IpAddr> {
        Some(self.address)
    }

    fn mtu(&self, _: IpAddr) -> usize {
        1480
    }

    fn capabilities(&self, _: IpAddr) -> Capabilities {
        Capabilities::default()
    }

    fn send(&mut self, packet: Packet, fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        let mut buffer = vec![0; packet.len];
        FrameWriter::fill(&mut buffer, fill).ok_or(SendError::TooLong)?;
        self.sent.push(buffer);
        Ok(())
    }
}
