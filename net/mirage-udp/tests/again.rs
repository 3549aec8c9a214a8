//! The straight ways in and out take less time and do nothing else: a machine that is offered them for each datagram and one
//! that never is say, hear and count the same.

mod common;

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use common::*;
use mirage_net::{Capabilities, ChecksumOffload, FrameWriter, ReceivedChecksum, SendError};
use mirage_protocols::testing::{FakeIp, SentPacket};
use mirage_protocols::{IcmpError, IcmpErrorKind, Ip, Packet, Protocol, Received};
use mirage_udp::{Block, Bound, Config, Discard, Error, Local, PortChoice, SocketId, Source, Stats, Udp};
use proptest::prelude::*;

/// An IP layer for which each packet is like the one before.
struct Again {
    ip: FakeIp,
    /// How many packets it took so.
    count: usize,
}

impl Ip for Again {
    fn source(&self, to: IpAddr) -> Option<IpAddr> {
        self.ip.source(to)
    }
    fn mtu(&self, to: IpAddr) -> usize {
        self.ip.mtu(to)
    }
    fn capabilities(&self, to: IpAddr) -> Capabilities {
        self.ip.capabilities(to)
    }
    fn send(&mut self, packet: Packet, fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        self.ip.send(packet, fill)
    }
    fn send_again(
        &mut self,
        packet: &Packet,
        fill: &mut impl FnMut(&mut FrameWriter<'_>),
    ) -> Option<Result<(), SendError>> {
        if matches!(self.ip.next_errors.front(), Some(SendError::Full | SendError::Disconnected)) {
            return None;
        }
        self.count += 1;
        Some(self.ip.send(*packet, fill))
    }
}

/// A datagram on its way in.
#[derive(Clone, Debug)]
struct Arriving {
    from: usize,
    from_port: u16,
    to: usize,
    port: u16,
    len: usize,
    /// Which of its bits is flipped.
    damage: Option<usize>,
    unsummed: bool,
    cut: bool,
    trailing: bool,
    merged: bool,
    checksum: ReceivedChecksum,
}

#[derive(Clone, Debug)]
enum Step {
    Bind(Option<usize>, Option<u16>),
    Close(usize),
    Connect(usize, Option<(usize, u16)>),
    /// So many datagrams of a kind.
    Arrive(Arriving, usize),
    Read(usize, usize),
    Write(usize, usize, (usize, u16), usize),
    Transmit(usize),
    /// The next send fails so.
    Refuse(SendError),
    Hear(IcmpErrorKind, (usize, u16), u16),
    Offload(bool),
    Source(Option<usize>),
    Mtu(usize),
}

const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const ADDRESSES: [IpAddr; 4] = [US, PEER, OTHER, SIX];

fn arriving() -> impl Strategy<Value = Arriving> {
    let ends = (
        prop_oneof![6 => Just(1_usize), 1 => 0_usize..3],
        0_usize..2,
        52_u16..54,
        prop_oneof![6 => Just(53_u16), 1 => 52_u16..55, 1 => Just(0)],
    );
    let len = prop_oneof![6 => 0_usize..200, 2 => 200_usize..600];
    let rare = || prop::bool::weighted(0.1);
    let checksum = prop_oneof![
        6 => Just(ReceivedChecksum::Unchecked),
        1 => Just(ReceivedChecksum::Verified),
        1 => Just(ReceivedChecksum::Partial)
    ];
    (ends, len, prop::option::weighted(0.1, 0_usize..1000), rare(), rare(), rare(), rare(), checksum).prop_map(
        |((from, to, from_port, port), len, damage, unsummed, cut, trailing, merged, checksum)| Arriving {
            from,
            from_port,
            to: to * 2 % 3,
            port,
            len,
            damage,
            unsummed,
            cut,
            trailing,
            merged,
            checksum,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let remote = || (prop_oneof![6 => Just(1_usize), 1 => 0_usize..4], prop_oneof![6 => 52_u16..54, 1 => Just(0)]);
    let refusal = prop_oneof![
        2 => Just(SendError::Full),
        1 => Just(SendError::Disconnected),
        1 => Just(SendError::Unresolved),
        1 => Just(SendError::TooLong)
    ];
    let len = prop_oneof![6 => 0_usize..200, 2 => 200_usize..3000, 1 => Just(65_507_usize), 1 => Just(65_508)];
    let kind = prop_oneof![Just(IcmpErrorKind::PortUnreachable), Just(IcmpErrorKind::HostUnreachable)];
    prop_oneof![
        2 => (prop::option::of(0_usize..4), prop::option::weighted(0.9, 52_u16..54))
            .prop_map(|(address, port)| Step::Bind(address, port)),
        1 => (0_usize..4).prop_map(Step::Close),
        1 => (0_usize..4, prop::option::of(remote())).prop_map(|(id, remote)| Step::Connect(id, remote)),
        10 => (arriving(), 1_usize..4).prop_map(|(arriving, count)| Step::Arrive(arriving, count)),
        5 => (0_usize..4, prop_oneof![Just(0_usize), Just(50), Just(1000)]).prop_map(|(id, room)| Step::Read(id, room)),
        8 => (0_usize..4, len, remote(), 1_usize..4)
            .prop_map(|(id, len, remote, count)| Step::Write(id, len, remote, count)),
        2 => (0_usize..4).prop_map(Step::Transmit),
        1 => refusal.prop_map(Step::Refuse),
        1 => (kind, remote(), 52_u16..54).prop_map(|(kind, remote, port)| Step::Hear(kind, remote, port)),
        1 => any::<bool>().prop_map(Step::Offload),
        1 => prop::option::weighted(0.8, 0_usize..2).prop_map(Step::Source),
        1 => prop_oneof![Just(1480_usize), Just(100)].prop_map(Step::Mtu),
    ]
}

/// All that can be seen of a step.
type Seen = (Vec<String>, Vec<SentPacket>, Stats, String, bool);

struct Subject {
    udp: Udp<'static>,
    ip: Again,
    ids: Vec<SocketId>,
    straight: bool,
    /// How many datagrams were taken straight.
    taken: usize,
    count: u8,
}

impl Subject {
    fn new(straight: bool, blocks: usize) -> Self {
        let bound = Bound { bytes: 2000, datagrams: 6 };
        let config = Config { receive: bound, send: Bound { bytes: 70_000, ..bound }, ..Config::default() };
        let udp = udp_of(Sizes { sockets: 4, blocks, config });
        Self { udp, ip: Again { ip: ip(), count: 0 }, ids: Vec::new(), straight, taken: 0, count: 0 }
    }

    fn arrive(&mut self, arriving: &Arriving) -> Result<(), Discard> {
        self.count = self.count.wrapping_add(1);
        let (from, to) = (at(ADDRESSES[arriving.from], arriving.from_port), at(ADDRESSES[arriving.to], arriving.port));
        let mut bytes = datagram(from, to, &vec![self.count; arriving.len]);
        if arriving.unsummed {
            bytes[6..8].fill(0);
        }
        if let Some(bit) = arriving.damage {
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        if arriving.cut {
            bytes.pop();
        }
        if arriving.trailing {
            bytes.extend([0xaa; 9]);
        }
        let received = Received {
            checksum: arriving.checksum,
            segment_size: NonZeroU16::new(arriving.merged.into()),
            ..Received::new(from.ip(), to.ip(), &bytes)
        };
        if self.straight && self.udp.input_again(&received) {
            self.taken += 1;
            return Ok(());
        }
        self.udp.input(NOW, &received)
    }

    fn write(&mut self, id: SocketId, len: usize, remote: SocketAddr) -> Poll<Result<(), Error>> {
        self.count = self.count.wrapping_add(1);
        let payload = vec![self.count; len];
        if self.straight && self.udp.send_again(id, &payload, remote, &mut self.ip) {
            return Poll::Ready(Ok(()));
        }
        let cx = &mut Context::from_waker(Waker::noop());
        self.udp.poll_send_over(NOW, id, cx, &payload, Source::Own, remote, Some(&mut self.ip))
    }

    fn take(&mut self, step: &Step) -> Seen {
        let id = |ids: &[SocketId], which: usize| ids.get(which % ids.len().max(1)).copied();
        let end = |(address, port): (usize, u16)| at(ADDRESSES[address], port);
        let mut results = Vec::new();
        match *step {
            Step::Bind(address, port) => {
                let port = port.and_then(NonZeroU16::new).map_or(PortChoice::Any, PortChoice::Exactly);
                let bound = self.udp.bind(Local { address: address.map(|which| ADDRESSES[which]), port });
                self.ids.extend(bound);
                results.push(format!("{bound:?}"));
            }
            Step::Close(which) => {
                if let Some(id) = id(&self.ids, which) {
                    results.push(format!("{:?}", self.udp.close(id)));
                }
            }
            Step::Connect(which, remote) => {
                if let Some(id) = id(&self.ids, which) {
                    results.push(format!("{:?}", self.udp.connect(id, remote.map(end))));
                }
            }
            Step::Arrive(ref arriving, count) => {
                results.extend((0..count).map(|_| format!("{:?}", self.arrive(arriving))));
            }
            Step::Read(which, room) => {
                if let Some(id) = id(&self.ids, which) {
                    let (cx, mut buffer) = (&mut Context::from_waker(Waker::noop()), vec![0; room]);
                    results.push({
                        let read = self.udp.poll_recv(id, cx, &mut buffer);
                        format!("{read:?} {buffer:?}")
                    });
                }
            }
            Step::Write(which, len, remote, count) => {
                if let Some(id) = id(&self.ids, which) {
                    results.extend((0..count).map(|_| format!("{:?}", self.write(id, len, end(remote)))));
                }
            }
            Step::Transmit(budget) => {
                results.push(format!("{:?}", self.udp.poll_transmit(NOW, &mut self.ip, budget)));
            }
            Step::Refuse(error) => self.ip.ip.next_errors.push_back(error),
            Step::Hear(kind, remote, port) => {
                let remote = end(remote);
                let quoted = datagram(at(US, port), remote, b"");
                let (source, destination, protocol) = (US, remote.ip(), Protocol::UDP);
                let error = IcmpError { kind, reporter: OTHER, source, destination, protocol, quoted: &quoted };
                results.push(format!("{:?}", self.udp.on_icmp_error(&error)));
            }
            Step::Offload(on) => {
                let checksum = if on { ChecksumOffload::UDP_V4 } else { ChecksumOffload::empty() };
                self.ip.ip.capabilities = Capabilities { checksum, ..Capabilities::default() };
            }
            Step::Source(which) => self.ip.ip.source = which.map(|which| ADDRESSES[which]),
            Step::Mtu(mtu) => self.ip.ip.mtu = mtu,
        }
        let discards = format!("{:?}", self.udp.discards());
        (results, self.ip.ip.sent.drain(..).collect(), self.udp.stats(), discards, self.udp.wants_transmit())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_same_is_said_heard_and_counted_either_way(
        steps in prop::collection::vec(step(), 1..60), blocks in prop_oneof![Just(7_usize), Just(300)]
    ) {
        let (mut straight, mut winding) = (Subject::new(true, blocks), Subject::new(false, blocks));
        for step in steps {
            prop_assert_eq!(straight.take(&step), winding.take(&step), "{:?}", step);
        }
    }
}

fn usual() -> Arriving {
    Arriving {
        from: 1,
        from_port: 52,
        to: 0,
        port: 53,
        len: 64,
        damage: None,
        unsummed: false,
        cut: false,
        trailing: false,
        merged: false,
        checksum: ReceivedChecksum::Unchecked,
    }
}

#[test]
fn datagram_after_datagram_is_taken_straight_while_nothing_changes() {
    let mut subject = Subject::new(true, 300);
    subject.take(&Step::Bind(None, Some(53)));
    let mut straight = |change: Step, arriving: &Arriving| {
        subject.take(&change);
        let before = subject.taken;
        (0..3).for_each(|_| drop(subject.take(&Step::Arrive(arriving.clone(), 1))));
        (0..3).for_each(|_| drop(subject.take(&Step::Read(0, 1000))));
        subject.taken - before
    };
    assert_eq!(straight(Step::Mtu(1480), &usual()), 2, "the first had to find its socket");
    assert_eq!(straight(Step::Mtu(1480), &usual()), 3);
    assert_eq!(straight(Step::Connect(0, Some((1, 52))), &usual()), 2, "who gets it may have changed");
    assert_eq!(straight(Step::Connect(0, Some((2, 52))), &usual()), 0, "it is for nobody now");
    assert_eq!(straight(Step::Connect(0, None), &Arriving { from_port: 54, ..usual() }), 2);
    let longest = Block::<IpAddr>::SIZE;
    assert_eq!(straight(Step::Mtu(1480), &Arriving { len: longest, from_port: 54, ..usual() }), 3);
    assert_eq!(straight(Step::Mtu(1480), &Arriving { len: longest + 1, from_port: 54, ..usual() }), 0);
    assert_eq!(straight(Step::Close(0), &Arriving { from_port: 54, ..usual() }), 0);
}

#[test]
fn datagram_after_datagram_goes_out_straight_while_nothing_waits() {
    let mut subject = Subject::new(true, 300);
    subject.take(&Step::Bind(None, Some(53)));
    let mut straight = |change: Step| {
        subject.take(&change);
        let before = subject.ip.count;
        subject.take(&Step::Write(0, 64, (1, 52), 3));
        subject.ip.count - before
    };
    assert_eq!(straight(Step::Mtu(1480)), 3);
    assert_eq!(straight(Step::Offload(true)), 3);
    assert_eq!(straight(Step::Source(None)), 0, "there is no route");
    assert_eq!(straight(Step::Source(Some(0))), 3);
    assert_eq!(straight(Step::Refuse(SendError::Full)), 0, "the first waits, the others behind it");
    assert_eq!(straight(Step::Transmit(10)), 3);
    assert_eq!(straight(Step::Close(0)), 0);
}
