//! The stack with a device, a loop and memory of your own: `cargo run -p mirage-tcpip --example embedded`.
//!
//! Two machines on one wire, an echo server and its client. Nothing here allocates; `std` prints the last line and is
//! used for nothing else.

#![no_std]

extern crate std;

use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_flow::{Read as _, Write as _};
use mirage_net::{
    Capabilities, Disconnected, Frame, FrameWriter, Link, MacAddress, Net, Outgoing, Receive, SendError, Stats,
    Transmit,
};
use mirage_random::{EntropyError, EntropySource, SeededGenerator};
use mirage_stack::{ListenOptions, TcpListener as _, TcpOptions};
use mirage_tcpip::{Config, ErrorKind, Stack, Storage};

// 1. A device: here one end of a wire of two lanes, in your code the registers and rings of your hardware.

/// Frames under way in one direction, oldest first.
struct Lane {
    frames: [[u8; FRAME]; FRAMES],
    lengths: [usize; FRAMES],
    first: usize,
    count: usize,
    /// Who waits for a frame, and who waits for room.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Lane {
    const EMPTY: Self =
        Self { frames: [[0; FRAME]; FRAMES], lengths: [0; FRAMES], first: 0, count: 0, reader: None, writer: None };
}

/// A network device: both its halves.
struct Port<'w> {
    receive: Inlet<'w>,
    transmit: Outlet<'w>,
}

struct Inlet<'w> {
    lane: &'w RefCell<Lane>,
    frames: u64,
    bytes: u64,
}

struct Outlet<'w> {
    lane: &'w RefCell<Lane>,
    mac: MacAddress,
    frames: u64,
    bytes: u64,
}

impl<'w> Port<'w> {
    fn new(receive: &'w RefCell<Lane>, transmit: &'w RefCell<Lane>, mac: MacAddress) -> Self {
        Self {
            receive: Inlet { lane: receive, frames: 0, bytes: 0 },
            transmit: Outlet { lane: transmit, mac, frames: 0, bytes: 0 },
        }
    }
}

impl<'w> Net for Port<'w> {
    type Receive = Inlet<'w>;
    type Transmit = Outlet<'w>;

    fn split(&mut self) -> (&mut Inlet<'w>, &mut Outlet<'w>) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        let Self { receive, transmit } = self;
        Stats {
            rx_frames: receive.frames,
            rx_bytes: receive.bytes,
            tx_frames: transmit.frames,
            tx_bytes: transmit.bytes,
            ..Stats::default()
        }
    }
}

impl Receive for Inlet<'_> {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        let lane = &mut *self.lane.borrow_mut();
        if lane.count == 0 {
            lane.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = &lane.frames[lane.first][..lane.lengths[lane.first]];
        self.frames += 1;
        self.bytes += bytes.len() as u64;
        let result = take(Frame::new(bytes));
        lane.first = (lane.first + 1) % FRAMES;
        lane.count -= 1;
        lane.writer.take().inspect(Waker::wake_by_ref);
        Poll::Ready(Ok(result))
    }
}

impl Transmit for Outlet<'_> {
    fn mac(&self) -> MacAddress {
        self.mac
    }

    fn mtu(&self) -> usize {
        FRAME - 14
    }

    fn capabilities(&self) -> Capabilities {
        // It completes no checksum and cuts nothing.
        Capabilities::default()
    }

    fn link(&self) -> Link {
        Link::Up
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        let lane = &mut *self.lane.borrow_mut();
        if lane.count == FRAMES {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        let lane = &mut *self.lane.borrow_mut();
        if lane.count == FRAMES {
            return Err(SendError::Full);
        }
        let slot = (lane.first + lane.count) % FRAMES;
        let buffer = lane.frames[slot].get_mut(..frame.len).ok_or(SendError::TooLong)?;
        let written = FrameWriter::fill(buffer, fill).ok_or(SendError::TooLong)?.len();
        self.frames += 1;
        self.bytes += written as u64;
        lane.lengths[slot] = written;
        lane.count += 1;
        lane.reader.take().inspect(Waker::wake_by_ref);
        Ok(())
    }

    fn flush(&mut self) {
        // Hardware is told here, once for all frames, that there is something to send.
    }
}

// 2. Memory: arrays in one struct, whose lengths are the bounds. Put it where you like: in a static, with a crate such
//    as `static_cell`, or as here on the stack of `main`.

struct Memory {
    groups: [Option<mirage_ethernet::Group>; 2],
    neighbours: [mirage_arp::Entry; 8],
    claims: [Option<mirage_arp::Address>; 1],
    pending: [Option<mirage_arp::Pending>; 4],
    pending_bytes: [u8; 2 * FRAME],
    messages: [Option<mirage_arp::Message>; 4],
    events: [Option<mirage_arp::Event>; 4],
    addresses: [Option<mirage_ipv4::Address>; 1],
    routes: [Option<mirage_ipv4::Route>; 2],
    ip_groups: [Option<mirage_ipv4::Group>; 2],
    sockets: [mirage_udp::SocketSlot<Ipv4Addr>; 2],
    socket_buckets: [mirage_udp::Bucket; 2],
    datagram_blocks: [mirage_udp::Block<Ipv4Addr>; 8],
    socket_wakers: [mirage_waker::Slot; 2],
    memberships: [mirage_udp::igmp::GroupSlot; 2],
    connections: [mirage_tcp::Slot; CONNECTIONS],
    buckets: [u32; mirage_tcp::Storage::buckets_for(CONNECTIONS, CONNECTIONS, CONNECTIONS, 1)],
    listeners: [mirage_tcp::ListenerSlot; 1],
    time_wait: [mirage_tcp::TimeWaitSlot; CONNECTIONS],
    half_open: [mirage_tcp::HalfOpenSlot; CONNECTIONS],
    timers: [mirage_tcp::TimerSlot; mirage_tcp::Storage::timers_for(CONNECTIONS, CONNECTIONS)],
    blocks: [mirage_tcp::Block; 16],
    runs: [mirage_tcp::RunSlot; 32],
    wakers: [mirage_waker::Slot; 2 * (CONNECTIONS + 1)],
}

impl Memory {
    fn new() -> Self {
        Self {
            groups: [None; _],
            neighbours: [mirage_arp::Entry::EMPTY; _],
            claims: [None; _],
            pending: [None; _],
            pending_bytes: [0; _],
            messages: [None; _],
            events: [None; _],
            addresses: [None; _],
            routes: [None; _],
            ip_groups: [None; _],
            sockets: [const { mirage_udp::SocketSlot::EMPTY }; _],
            socket_buckets: [const { mirage_udp::Bucket::EMPTY }; _],
            datagram_blocks: [const { mirage_udp::Block::EMPTY }; _],
            socket_wakers: [const { mirage_waker::Slot::EMPTY }; _],
            memberships: [const { mirage_udp::igmp::GroupSlot::EMPTY }; _],
            connections: Default::default(),
            buckets: [0; _],
            listeners: Default::default(),
            time_wait: Default::default(),
            half_open: Default::default(),
            timers: Default::default(),
            blocks: Default::default(),
            runs: Default::default(),
            wakers: [const { mirage_waker::Slot::EMPTY }; _],
        }
    }

    fn lend(&mut self) -> Storage<'_> {
        Storage {
            ethernet: (&mut self.groups[..]).into(),
            arp: mirage_arp::Storage {
                entries: (&mut self.neighbours[..]).into(),
                addresses: (&mut self.claims[..]).into(),
                pending: (&mut self.pending[..]).into(),
                bytes: (&mut self.pending_bytes[..]).into(),
                messages: (&mut self.messages[..]).into(),
                events: (&mut self.events[..]).into(),
            },
            ipv4: mirage_ipv4::Storage {
                addresses: (&mut self.addresses[..]).into(),
                routes: (&mut self.routes[..]).into(),
                groups: (&mut self.ip_groups[..]).into(),
                // What is not lent is not done: this machine takes no fragments and sends none.
                reassembly: (&mut [][..]).into(),
                assembly: (&mut [][..]).into(),
                fragments_out: (&mut [][..]).into(),
            },
            udp: mirage_udp::Storage {
                sockets: (&mut self.sockets[..]).into(),
                buckets: (&mut self.socket_buckets[..]).into(),
                blocks: (&mut self.datagram_blocks[..]).into(),
                wakers: (&mut self.socket_wakers[..]).into(),
            },
            igmp: (&mut self.memberships[..]).into(),
            tcp: mirage_tcp::Storage {
                connections: (&mut self.connections[..]).into(),
                buckets: (&mut self.buckets[..]).into(),
                listeners: (&mut self.listeners[..]).into(),
                time_wait: (&mut self.time_wait[..]).into(),
                half_open: (&mut self.half_open[..]).into(),
                timers: (&mut self.timers[..]).into(),
                blocks: (&mut self.blocks[..]).into(),
                runs: (&mut self.runs[..]).into(),
                wakers: mirage_waker::WakerPool::new(&mut self.wakers[..]),
            },
        }
    }
}

// 3. Randomness, which seeds the keys of tables, sequence numbers and ports.

/// Stands for the random number generator of your chip. What it gives here is the same in each run: do not ship it.
struct Noise(u64);

impl EntropySource for Noise {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

// 4. The application: written against `mirage_stack`, so that it runs on every stack.

async fn serve(stack: impl mirage_stack::Stack<Error = ErrorKind>) -> Result<(), ErrorKind> {
    let mut listener = stack.listen(([0, 0, 0, 0], 7).into(), ListenOptions::default())?;
    let mut stream = listener.accept().await?;
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            len => stream.write_all(&buffer[..len]).await?,
        }
    }
}

async fn ask(stack: impl mirage_stack::Stack<Error = ErrorKind>) -> Result<[u8; 12], ErrorKind> {
    let mut stream = stack.connect(([10, 0, 0, 1], 7).into(), TcpOptions::default()).await?;
    stream.write_all(b"good evening").await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.map_err(|_| ErrorKind::Other)?;
    Ok(answer)
}

// 5. The loop. With an executor, spawn `stack.run(&clock, &timer)` instead and let it wait for wakers.

fn main() {
    let (up, down) = (RefCell::new(Lane::EMPTY), RefCell::new(Lane::EMPTY));
    let mut random = SeededGenerator::new(&mut Noise(1)).expect("it is not stuck");
    let (mut memory, mut other_memory) = (Memory::new(), Memory::new());
    let here = Stack::new(
        Port::new(&up, &down, MacAddress::local([0, 0, 0, 0, 0, 1])),
        Config::default(),
        memory.lend(),
        &mut random,
    );
    let there = Stack::new(
        Port::new(&down, &up, MacAddress::local([0, 0, 0, 0, 0, 2])),
        Config::default(),
        other_memory.lend(),
        &mut random,
    );
    here.add_address("10.0.0.1/24".parse().expect("an address")).expect("there is room for one");
    there.add_address("10.0.0.2/24".parse().expect("an address")).expect("there is room for one");

    let (mut server, mut client) = (pin!(serve(&here)), pin!(ask(&there)));
    let mut cx = Context::from_waker(Waker::noop());
    let mut now = Instant::ZERO;
    let answer = loop {
        assert!(now < Instant::from_secs(10), "nobody answers");
        if let Poll::Ready(ended) = server.as_mut().poll(&mut cx) {
            panic!("the server gave up: {ended:?}");
        }
        if let Poll::Ready(answer) = client.as_mut().poll(&mut cx) {
            break answer.expect("it is answered");
        }
        here.poll(now, &mut cx).expect("the wire stays");
        there.poll(now, &mut cx).expect("the wire stays");
        // A machine reads its clock here, and sleeps until an interrupt or the earliest `Progress::next`.
        now += Duration::from_millis(1);
    };
    assert_eq!(&answer, b"good evening");
    std::println!("answered after {} ms with {} bytes of memory", now.as_millis(), size_of::<Memory>());
}

/// Longest frame in bytes: 1500 and the link header.
const FRAME: usize = 1514;
/// Frames under way in each direction.
const FRAMES: usize = 8;
/// Connections at once.
const CONNECTIONS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_passes_the_exam_of_network_devices() {
        let (up, down) = (RefCell::new(Lane::EMPTY), RefCell::new(Lane::EMPTY));
        let mut here = Port::new(&up, &down, MacAddress::local([0, 0, 0, 0, 0, 1]));
        let mut there = Port::new(&down, &up, MacAddress::local([0, 0, 0, 0, 0, 2]));
        mirage_net::testing::examine_pair(&mut here, &mut there, || ());
        assert_eq!(mirage_net::testing::examine_keeping(&mut here, &mut there, || ()), [0, 0], "its frames are copied");
    }

    #[test]
    fn the_question_is_answered() {
        main();
    }
}
