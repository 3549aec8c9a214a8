//! The straight lines for usual segments change how long things take, and nothing else: a machine with them and one without
//! say the same bytes at the same times, whatever happens to them.

extern crate alloc;

use alloc::collections::VecDeque;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use mirage_checksum::Sum;
use mirage_clock::{Duration, Instant};
use mirage_net::{ChecksumOffload, PartialChecksum, SegmentationOffload};
use mirage_protocols::testing::{FakeIp, SentPacket};
use mirage_protocols::{Received, SendError};
use mirage_tcp::{
    Block, Config, ConnectionId, Direction, HalfOpenSlot, ListenOptions, ListenerId, ListenerSlot, Local, ManagedSlice,
    Marking, Profile, RunSlot, Secrets, Slot, Standard, Storage, Tcp, TcpOptions, TimeWaitSlot, TimerSlot,
};
use mirage_waker::WakerPool;
use proptest::prelude::*;

/// Everything, the long way round.
#[derive(Clone, Copy, Debug)]
enum Winding {}

impl Profile for Winding {
    type Congestion = <Standard as Profile>::Congestion;
    const STRAIGHT: bool = false;
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    /// A write with which a segment ends.
    Record(usize, usize),
    Read(usize, usize),
    /// One side writes so much, and the other reads it, so many microseconds later.
    Exchange(usize, usize, u64),
    /// One side sends what it has to, up to so many segments.
    Transmit(usize, usize),
    /// So many packets arrive at one side.
    Deliver(usize, usize),
    /// The packet that one side sent last is lost, doubled, or overtaken.
    Lose(usize),
    Double(usize),
    Overtake(usize),
    /// A bit of one of them is flipped.
    Damage(usize, usize),
    /// So many of them are said to be merged from segments of this length.
    Merge(usize, usize, u16),
    /// So many of them are said to have been checked, or not, whatever they were before.
    Check(usize, usize, bool),
    /// Microseconds.
    Pass(u64),
    End(usize),
    /// The application gives the connection back.
    Leave(usize),
    NoDelay(usize, bool),
    Cork(usize, bool),
    /// The device of one side holds so many packets and no more.
    Room(usize, usize),
    /// The layer below one side knows no way for the next packets, so many.
    Refuse(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![1_usize..20, 1400_usize..1500, 1_usize..20_000, 30_000_usize..60_000];
    let side = 0_usize..2;
    prop_oneof![
        4 => (side.clone(), len.clone()).prop_map(|(side, len)| Step::Write(side, len)),
        1 => (side.clone(), len.clone()).prop_map(|(side, len)| Step::Record(side, len)),
        3 => (side.clone(), len).prop_map(|(side, len)| Step::Read(side, len)),
        6 => (side.clone(), prop_oneof![1_usize..12, 1_usize..200], 0_u64..2_000)
            .prop_map(|(side, len, micros)| Step::Exchange(side, len, micros)),
        8 => (side.clone(), 1_usize..20).prop_map(|(side, most)| Step::Transmit(side, most)),
        8 => (side.clone(), 1_usize..20).prop_map(|(side, count)| Step::Deliver(side, count)),
        1 => side.clone().prop_map(Step::Lose),
        1 => side.clone().prop_map(Step::Double),
        1 => side.clone().prop_map(Step::Overtake),
        2 => (side.clone(), prop_oneof![0_usize..400, 0_usize..100_000]).prop_map(|(side, bit)| Step::Damage(side, bit)),
        1 => (side.clone(), 1_usize..9, prop_oneof![536_u16..1_600, Just(536), Just(1_000)])
            .prop_map(|(side, count, size)| Step::Merge(side, count, size)),
        1 => (side.clone(), 1_usize..9, any::<bool>()).prop_map(|(side, count, is)| Step::Check(side, count, is)),
        3 => prop_oneof![0_u64..2_000, 30_000_u64..60_000, 150_000_u64..3_000_000].prop_map(Step::Pass),
        1 => side.clone().prop_map(Step::End),
        1 => side.clone().prop_map(Step::Leave),
        1 => (side.clone(), any::<bool>()).prop_map(|(side, on)| Step::NoDelay(side, on)),
        1 => (side.clone(), any::<bool>()).prop_map(|(side, on)| Step::Cork(side, on)),
        1 => (side.clone(), 0_usize..5).prop_map(|(side, room)| Step::Room(side, room)),
        1 => (side, 1_usize..4).prop_map(|(side, count)| Step::Refuse(side, count)),
    ]
}

/// What differs from connection to connection.
#[derive(Clone, Copy, Debug)]
struct Kind {
    timestamps: bool,
    selective: bool,
    marks: Marking,
    offload: bool,
    /// The longest packet that the device of one side cuts.
    large: usize,
    blocks: usize,
    /// Whether segments are longer than a block.
    jumbo: bool,
}

fn kind() -> impl Strategy<Value = Kind> {
    let marks = prop_oneof![3 => Just(Marking::Never), 1 => Just(Marking::Ask), 1 => Just(Marking::Accurate)];
    let offload = (any::<bool>(), prop_oneof![2 => Just(0_usize), 1 => 3_000_usize..20_000, 1 => Just(65_515)])
        .prop_map(|(checksums, large)| (checksums, if checksums { large } else { 0 }));
    (any::<bool>(), any::<bool>(), marks, offload, 8_usize..64, any::<bool>()).prop_map(
        |(timestamps, selective, marks, (offload, large), blocks, jumbo)| Kind {
            timestamps,
            selective,
            marks,
            offload,
            large,
            blocks,
            jumbo,
        },
    )
}

struct World<P: Profile> {
    tcp: [Tcp<'static, P>; 2],
    ip: [FakeIp; 2],
    /// What was sent and has not arrived, by sender.
    links: [VecDeque<SentPacket>; 2],
    ids: [Option<ConnectionId>; 2],
    listener: ListenerId,
    now: Instant,
    written: usize,
    /// All that can be seen from outside.
    seen: Vec<String>,
}

fn lent<T>(items: Vec<T>) -> ManagedSlice<'static, T> {
    ManagedSlice::Borrowed(items.leak())
}

fn machine<P: Profile>(last: u8, kind: Kind) -> Tcp<'static, P> {
    let storage = Storage {
        connections: lent(vec![Slot::default(); 2]),
        buckets: lent(vec![0; 8]),
        listeners: lent(vec![ListenerSlot::default(); 1]),
        time_wait: lent(vec![TimeWaitSlot::default(); 2]),
        half_open: lent(vec![HalfOpenSlot::default(); 2]),
        runs: lent(vec![RunSlot::default(); 32]),
        timers: lent(vec![TimerSlot::default(); Storage::timers_for(2, 2)]),
        blocks: lent(vec![Block::default(); kind.blocks]),
        wakers: WakerPool::new(lent((0..4).map(|_| mirage_waker::Slot::EMPTY).collect())),
    };
    let config =
        Config { timestamps: kind.timestamps, selective: kind.selective, ecn: kind.marks, ..Config::default() };
    Tcp::new(config, storage, Secrets::new([last; 64]))
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl<P: Profile> World<P> {
    fn new(kind: Kind) -> Self {
        let mut tcp = [machine::<P>(1, kind), machine::<P>(2, kind)];
        let mut ip = [FakeIp::new([10, 0, 0, 1]), FakeIp::new([10, 0, 0, 2])];
        if kind.jumbo {
            ip.iter_mut().for_each(|ip| ip.mtu = 8_980);
        }
        if kind.offload {
            ip[0].capabilities.checksum = ChecksumOffload::TCP_V4;
        }
        if kind.large > 0 {
            ip[0].capabilities.segmentation = SegmentationOffload::TCP_V4;
            ip[0].capabilities.max_large_frame = kind.large;
        }
        let port = NonZeroU16::new(80);
        let listener = tcp[1].listen(Local { address: None, port }, ListenOptions::default()).unwrap();
        let now = Instant::from_secs(1000);
        let here = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        let there = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);
        let id = tcp[0].connect(now, here, None, there, TcpOptions::default()).unwrap();
        let links = [VecDeque::new(), VecDeque::new()];
        Self { tcp, ip, links, ids: [Some(id), None], listener, now, written: 0, seen: Vec::new() }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Write(side, len) => {
                let bytes = self.bytes(len);
                self.of(side, |tcp, id| format!("{:?}", tcp.poll_write(id, &mut cx(), &bytes)));
            }
            Step::Record(side, len) => {
                let bytes = self.bytes(len);
                self.of(side, |tcp, id| format!("{:?}", tcp.poll_write_record(id, &mut cx(), &bytes)));
            }
            Step::Read(side, len) => {
                let mut buffer = vec![0; len];
                self.of(side, |tcp, id| match tcp.poll_read(id, &mut cx(), &mut buffer) {
                    Poll::Ready(Ok(count)) => format!("{:?}", &buffer[..count]),
                    other => format!("{other:?}"),
                });
            }
            Step::Exchange(side, len, micros) => {
                for step in [
                    Step::Write(side, len),
                    Step::Transmit(side, 4),
                    Step::Pass(micros),
                    Step::Deliver(1 - side, 4),
                    Step::Read(1 - side, 256),
                ] {
                    self.apply(&step);
                }
            }
            Step::Transmit(side, most) => {
                let result = self.tcp[side].poll_transmit(self.now, &mut self.ip[side], most);
                self.seen.push(format!("{result:?} {:?}", self.ip[side].sent));
                self.ip[side].sent.iter().for_each(check_sum);
                self.links[side].extend(self.ip[side].sent.drain(..));
            }
            Step::Deliver(side, count) => {
                for _ in 0..count {
                    let Some(packet) = self.links[1 - side].pop_front() else { break };
                    let mut received = Received::new(packet.packet.source, packet.packet.destination, &packet.bytes);
                    if packet.packet.checksum.is_some() {
                        received.checksum = mirage_net::ReceivedChecksum::Partial;
                    }
                    received.segment_size = packet.packet.segment_size;
                    let result = self.tcp[side].input(self.now, &Received { ecn: packet.packet.ecn, ..received });
                    self.seen.push(format!("{result:?}"));
                }
                if side == 1
                    && self.ids[1].is_none()
                    && let Poll::Ready(Ok(id)) = self.tcp[1].poll_accept(self.listener, &mut cx())
                {
                    self.ids[1] = Some(id);
                }
            }
            Step::Lose(side) => _ = self.links[side].pop_back(),
            Step::Double(side) => {
                if let Some(packet) = self.links[side].back().cloned() {
                    self.links[side].push_back(packet);
                }
            }
            Step::Overtake(side) => {
                if let Some(packet) = self.links[side].pop_back() {
                    self.links[side].push_front(packet);
                }
            }
            Step::Damage(side, bit) => {
                let link = &mut self.links[side];
                let place = bit % link.len().max(1);
                if let Some(packet) = link.get_mut(place) {
                    let bit = bit % (8 * packet.bytes.len());
                    packet.bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
            Step::Merge(side, count, size) => {
                for packet in self.links[side].iter_mut().take(count) {
                    packet.packet.segment_size = NonZeroU16::new(size);
                }
            }
            Step::Check(side, count, is) => {
                for packet in self.links[side].iter_mut().take(count) {
                    packet.packet.checksum = is.then_some(PartialChecksum { start: 0, offset: 16 });
                }
            }
            Step::Pass(micros) => {
                self.now += Duration::from_micros(micros);
                for tcp in &mut self.tcp {
                    tcp.handle_timeout(self.now);
                }
            }
            Step::End(side) => self.of(side, |tcp, id| format!("{:?}", tcp.shutdown(id, Direction::Write))),
            Step::Leave(side) => self.of(side, |tcp, id| {
                tcp.close(id);
                String::new()
            }),
            Step::NoDelay(side, on) => self.of(side, |tcp, id| {
                tcp.set_nodelay(id, on);
                String::new()
            }),
            Step::Cork(side, on) => self.of(side, |tcp, id| {
                tcp.set_cork(id, on);
                String::new()
            }),
            Step::Refuse(side, count) => self.ip[side].next_errors.extend((0..count).map(|_| SendError::NoRoute)),
            Step::Room(side, room) => self.ip[side].capacity = if room == 0 { usize::MAX } else { room },
        }
        for (tcp, id) in self.tcp.iter().zip(self.ids) {
            let known = id.map(|id| (tcp.state(id), tcp.info(id), tcp.tcp_info(id, self.now)));
            self.seen.push(format!("{:?} {} {known:?}", tcp.poll_timeout(), tcp.wants_transmit()));
            self.seen.push(format!("{:?} {:?}", tcp.stats(), tcp.discards()));
        }
    }

    /// What is written next: it depends on its place.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        self.written += len;
        (self.written - len..self.written).map(|place| (place % 251) as u8).collect()
    }

    fn of(&mut self, side: usize, act: impl FnOnce(&mut Tcp<'static, P>, ConnectionId) -> String) {
        if let Some(id) = self.ids[side] {
            let seen = act(&mut self.tcp[side], id);
            self.seen.push(seen);
        }
    }
}

/// Demands that the checksum of a packet is right, or that a device can complete it (and that of each segment, if it is cut).
fn check_sum(sent: &SentPacket) {
    let SentPacket { packet, bytes } = sent;
    let pseudo = Sum::ZERO.pseudo_header(packet.source, packet.destination, 6, bytes.len() as u32);
    match packet.checksum {
        Some(_) => assert_eq!(bytes[16..18], pseudo.partial().to_be_bytes(), "a sum for the device to begin with"),
        None => assert!(pseudo.add_bytes(bytes).is_valid(), "a checksum"),
    }
}

/// What is seen of one step.
fn seen_of<P: Profile>(world: &mut World<P>, step: &Step) -> Vec<String> {
    world.apply(step);
    core::mem::take(&mut world.seen)
}

fn handshake() -> Vec<Step> {
    vec![
        Step::Transmit(0, 16),
        Step::Deliver(1, 1),
        Step::Transmit(1, 16),
        Step::Pass(500),
        Step::Deliver(0, 1),
        Step::Transmit(0, 16),
        Step::Deliver(1, 1),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_machine_without_straight_lines_says_the_same(
        kind in kind(), steps in proptest::collection::vec(step(), 1..200),
    ) {
        let (mut straight, mut winding) = (World::<Standard>::new(kind), World::<Winding>::new(kind));
        for (number, step) in handshake().iter().chain(&steps).enumerate() {
            let (one, other) = (seen_of(&mut straight, step), seen_of(&mut winding, step));
            prop_assert_eq!(one, other, "step {} of {:?}", number, steps);
        }
    }
}
