//! Streams that come in bursts, as those that go on do, with everything that may come between.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use mirage_checksum::Sum;
use mirage_clock::{Duration, Instant};
use mirage_net::{
    Capabilities, ChecksumOffload, Frame, Net, Outgoing, PartialChecksum, Receive, ReceivedChecksum,
    SegmentationOffload, Transmit,
};
use mirage_random::SeededGenerator;
use mirage_stack::{ListenOptions, Stack as _};
use mirage_tcpip::{Config, Heap, Ipv4Cidr, Profile, Sizes, Stack, Standard, Storage, TcpListener, TcpStream};
use mirage_vnetif::{Cable, CableEnd};

use crate::{Counting, MAC, OURS, PEERS, STATIONS, Winding, answer, frame};

/// A stack whose listener takes what comes and reads all of it.
struct Subject<P: Profile> {
    stack: &'static Stack<'static, CableEnd, P>,
    listener: TcpListener<'static, 'static, P>,
    streams: Vec<TcpStream<'static, 'static, P>>,
    network: CableEnd,
    now: Instant,
}

impl<P: Profile> Subject<P> {
    /// On a cable that vouches for the checksums of what it carries, or not.
    fn new(verified: bool) -> Self {
        let capabilities = Capabilities {
            checksum: ChecksumOffload::TCP_V4,
            segmentation: SegmentationOffload::TCP_V4,
            max_large_frame: 20_000,
        };
        let cable = Cable { verified, ..Cable::new(1600, 64) };
        let (device, network) = cable.with_macs([MAC, STATIONS[0]]).with_capabilities(capabilities).connect();
        let mut random = SeededGenerator::new(&mut Counting(7)).expect("the source is no constant");
        let stack = Stack::new(device, Config::default(), Storage::build(Sizes::default(), &mut Heap), &mut random);
        stack.add_address(Ipv4Cidr::new(OURS, 24).expect("a prefix")).expect("there is room");
        let stack: &'static Stack<'_, _, P> = Box::leak(Box::new(stack));
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 80);
        let listener = stack.listen(any, ListenOptions::default()).expect("the port is free");
        Self { stack, listener, streams: Vec::new(), network, now: Instant::from_secs(1) }
    }

    fn arrive(&mut self, came: &Came) {
        let (_, transmit) = self.network.split();
        let order = Outgoing {
            len: came.bytes.len(),
            checksum: came.partial.then_some(PartialChecksum { start: 34, offset: 16 }),
            segment_size: came.segment_size,
        };
        transmit.send(order, |frame| frame.put(&came.bytes)).expect("there is room");
        transmit.flush();
    }

    /// Lets the stack work; gives what was read of each stream, and what it sent.
    fn work(&mut self, reads: Reads) -> (Vec<String>, Vec<Came>) {
        let cx = &mut Context::from_waker(Waker::noop());
        self.stack.poll(self.now, cx).expect("the cable is in");
        while let Poll::Ready(Ok(stream)) = self.listener.poll_accept(cx) {
            self.streams.push(stream);
        }
        let mut read = Vec::new();
        for stream in &mut self.streams {
            let mut bytes = Vec::new();
            let result = match reads {
                Reads::Nothing => continue,
                Reads::InPlace(most) => stream.poll_read_each(cx, |piece| {
                    let count = piece.len().min(most - bytes.len());
                    bytes.extend_from_slice(&piece[..count]);
                    count
                }),
                Reads::Copying(most) => {
                    bytes.resize(most, 0);
                    stream.poll_read(cx, &mut bytes)
                }
            };
            if let Poll::Ready(Ok(count)) = result {
                bytes.truncate(count);
            }
            read.push(format!("{result:?} {:x}", Sum::of(&bytes).finish()));
        }
        self.stack.poll(self.now, cx).expect("the cable is in");
        let (receive, _) = self.network.split();
        let mut sent = Vec::new();
        while let Poll::Ready(Ok(came)) = receive.poll_frame(cx, |frame| Came::of(&frame)) {
            sent.push(came);
        }
        (read, sent)
    }

    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut all = Vec::new();
        self.stack.counters().visit(|layer, name, value| all.push((layer, name, value)));
        all
    }
}

/// How the application reads.
#[derive(Clone, Copy)]
enum Reads {
    Nothing,
    /// So many bytes of each stream, where they lie.
    InPlace(usize),
    /// The same into a buffer.
    Copying(usize),
}

impl Reads {
    const ALL: Self = Self::InPlace(usize::MAX);

    fn some(chance: &mut Counting) -> Self {
        let most = 1 + chance.below(12_000) as usize;
        match chance.below(8) {
            0 | 1 => Self::Nothing,
            2 => Self::InPlace(most),
            3 | 4 => Self::Copying(most),
            _ => Self::ALL,
        }
    }
}

/// A frame, and what devices do for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Came {
    bytes: Vec<u8>,
    /// Its checksum was left for a device.
    partial: bool,
    /// It was merged from segments with payloads of this length.
    segment_size: Option<NonZeroU16>,
}

impl Came {
    fn of(frame: &Frame<'_>) -> Self {
        let partial = frame.checksum == ReceivedChecksum::Partial;
        Self { bytes: frame.bytes.to_vec(), partial, segment_size: frame.segment_size }
    }
}

impl From<Vec<u8>> for Came {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, partial: false, segment_size: None }
    }
}

/// One of those who write.
struct Peer {
    which: usize,
    port: u16,
    next: u32,
    ack: u32,
    identification: u16,
}

/// The longest frame that nobody merged.
const PLAIN: usize = 1614;

const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

impl Peer {
    fn new(which: usize, port: u16) -> Self {
        Self { which, port, next: 1000, ack: 0, identification: 0xfff0 }
    }

    /// A frame with a segment of this stream.
    fn segment(&mut self, flags: u8, class: u8, payload: &[u8]) -> Vec<u8> {
        let source = PEERS[self.which];
        let mut bytes = [self.port.to_be_bytes(), 80_u16.to_be_bytes()].concat();
        bytes.extend(self.next.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        // Those who open say that they take segments of 1460 bytes.
        let options: &[u8] = if flags & SYN != 0 { &[2, 4, 5, 0xb4] } else { &[] };
        bytes.extend([0x50 + 4 * options.len() as u8, flags, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(options);
        bytes.extend(payload);
        let sum =
            Sum::ZERO.pseudo_header(IpAddr::V4(source), IpAddr::V4(OURS), 6, bytes.len() as u32).add_bytes(&bytes);
        bytes[16..18].copy_from_slice(&sum.finish().to_be_bytes());
        let mut packet = vec![0x45, class];
        packet.extend((20 + bytes.len() as u16).to_be_bytes());
        packet.extend(self.identification.to_be_bytes());
        packet.extend([0, 0, 64, 6, 0, 0]);
        packet.extend(source.octets());
        packet.extend(OURS.octets());
        let checksum = Sum::of(&packet).finish().to_be_bytes();
        packet[10..12].copy_from_slice(&checksum);
        packet.extend(bytes);
        self.identification = self.identification.wrapping_add(1);
        self.next = self.next.wrapping_add(payload.len() as u32 + u32::from(flags & SYN != 0));
        frame(STATIONS[self.which], MAC, 0x0800, &packet)
    }

    /// The next of the stream, or nearly.
    fn some(&mut self, chance: &mut Counting, burst: &Burst) -> Came {
        let Burst { len, mut partial, mut segment_size } = *burst;
        let flags = if chance.below(12) == 0 { ACK | PSH } else { ACK };
        let class = if chance.below(40) == 0 { 3 } else { 0 };
        let payload: Vec<u8> = (0..len).map(|_| chance.next() as u8).collect();
        let at = (self.next, chance.below(60));
        let mut bytes = self.segment(flags, class, &payload);
        match chance.below(40) {
            // Any bit of the headers, or of all.
            0 => flip(&mut bytes, chance.below(66 * 8) as usize),
            1 => {
                let bit = chance.below(bytes.len() as u64 * 8);
                flip(&mut bytes, bit as usize);
            }
            2 => bytes.extend([0; 4]),
            // It has a priority.
            3 => drop(bytes.splice(12..12, [0x81, 0, 0x60, 0])),
            // It is lost, and sent again some time.
            4 => bytes.clear(),
            _ => {}
        }
        // What is damaged or lost is sent again later.
        if at.1 == 0 {
            self.next = at.0;
        }
        // The device does now and then for one what it did not for the others.
        partial ^= chance.below(12) == 0;
        if chance.below(20) == 0 {
            segment_size = a_size(chance);
        }
        if bytes.len() > PLAIN {
            segment_size = segment_size.or(NonZeroU16::new(1460));
        }
        Came { bytes, partial, segment_size }
    }
}

/// What the frames of a burst have in common.
struct Burst {
    len: usize,
    partial: bool,
    segment_size: Option<NonZeroU16>,
}

impl Burst {
    fn some(chance: &mut Counting) -> Self {
        let partial = chance.below(3) == 0;
        match chance.below(3) {
            0 => {
                Self { len: [1100, 2920, 4380, 8760][chance.below(4) as usize], partial, segment_size: a_size(chance) }
            }
            _ => Self { len: [1460, 1460, 1460, 700, 100][chance.below(5) as usize], partial, segment_size: None },
        }
    }
}

/// How long the segments are of which a frame was merged.
fn a_size(chance: &mut Counting) -> Option<NonZeroU16> {
    NonZeroU16::new([1460, 536, 1000, 1500][chance.below(4) as usize])
}

fn flip(bytes: &mut [u8], bit: usize) {
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}

/// The acknowledgement for `peer` that the last of these frames carries, and the number of the SYN-ACK.
fn heard(peer: &mut Peer, sent: &[Came]) {
    for frame in sent
        .iter()
        .map(|came| &came.bytes)
        .filter(|frame| frame.len() >= 54 && frame[12..14] == [8, 0] && frame[23] == 6)
    {
        let word = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().expect("four bytes"));
        if frame[36..38] != peer.port.to_be_bytes() || frame[30..34] != PEERS[peer.which].octets() {
            continue;
        }
        if frame[47] & SYN != 0 {
            peer.ack = word(38).wrapping_add(1);
        } else {
            // What it lacks it gets.
            peer.next = word(42);
        }
    }
}

fn both(seed: u64) -> u64 {
    let verified = seed.is_multiple_of(3);
    let (mut straight, mut winding) = (Subject::<Standard>::new(verified), Subject::<Winding>::new(verified));
    let mut chance = Counting(seed);
    let mut peers = [Peer::new(0, 5000), Peer::new(1, 5000), Peer::new(0, 5001)];
    for step in 0..150 {
        let peer = &mut peers[[0, 0, 0, 0, 1, 2][chance.below(6) as usize]];
        let mut frames = Vec::new();
        if peer.ack == 0 {
            peer.next = 1000;
            frames.push(Came::from(peer.segment(SYN, 0, &[])));
        } else {
            let burst = Burst::some(&mut chance);
            for _ in 0..1 + chance.below(8) {
                frames.push(peer.some(&mut chance, &burst));
                if chance.below(30) == 0 {
                    let other = Peer { which: peer.which, port: 9, next: 1, ack: 0, identification: 0 };
                    frames.push({ other }.segment(ACK, 0, &[0; 600]).into());
                }
            }
        }
        for came in frames.iter().filter(|came| !came.bytes.is_empty()) {
            straight.arrive(came);
            winding.arrive(came);
        }
        let reads = Reads::some(&mut chance);
        let (said, same) = (straight.work(reads), winding.work(reads));
        assert_eq!(said, same, "seed {seed}, step {step}");
        assert_eq!(straight.counters(), winding.counters(), "seed {seed}, step {step}");
        for asked in said.1.iter().map(|came| &came.bytes).filter(|frame| frame[12..14] == [8, 6]) {
            for which in (0..2).filter(|which| asked[38..42] == PEERS[*which].octets()) {
                let answer = Came::from(answer(PEERS[which], STATIONS[which]));
                straight.arrive(&answer);
                winding.arrive(&answer);
            }
        }
        for peer in &mut peers {
            heard(peer, &said.1);
        }
        if chance.below(50) == 0 {
            // The applications leave, whatever they have not read, and others come.
            straight.streams.clear();
            winding.streams.clear();
            for peer in &mut peers {
                (peer.ack, peer.port) = (0, peer.port + 10);
            }
        }
        let pause = Duration::from_millis(chance.below(50));
        (straight.now, winding.now) = (straight.now + pause, winding.now + pause);
    }
    straight
        .counters()
        .iter()
        .filter(|(layer, name, _)| (*layer, *name) == ("tcp", "segments_in"))
        .map(|all| all.2)
        .sum()
}

#[test]
fn the_same_streams_are_heard_and_answered_the_same() {
    let segments: u64 = (0..40).map(both).sum();
    assert!(segments > 10_000, "streams there were: {segments}");
}

/// What a stack says to a frame of 1100 bytes when the last of those before, all of that length, was merged from segments of `last`
/// bytes and the others from 536.
fn said_after<P: Profile>(last: u16) -> Vec<Came> {
    let (mut subject, mut peer) = (Subject::<P>::new(false), Peer::new(0, 5000));
    let merged = |peer: &mut Peer, size| {
        let bytes = peer.segment(ACK, 0, &[7; 1100]);
        Came { segment_size: NonZeroU16::new(size), ..Came::from(bytes) }
    };
    subject.arrive(&peer.segment(SYN, 0, &[]).into());
    subject.work(Reads::Nothing);
    subject.arrive(&answer(PEERS[0], STATIONS[0]).into());
    heard(&mut peer, &subject.work(Reads::Nothing).1);
    for size in [&[536; 4][..], &[536; 4], &[536; 4], &[536; 4], &[536, 536, 536, last], &[536]] {
        subject.now += Duration::from_millis(1);
        size.iter().for_each(|size| subject.arrive(&merged(&mut peer, *size)));
        let said = subject.work(Reads::ALL).1;
        if size.len() == 1 {
            return said;
        }
        assert_eq!(said.len(), 1, "each burst is acknowledged");
    }
    Vec::new()
}

/// RFC 9293 §3.8.6.3: at least every second full segment is acknowledged at once; how long one is the last frame of a burst may say.
#[test]
fn a_frame_merged_of_longer_segments_than_those_before_is_not_like_them() {
    for (last, answers) in [(536, 1), (1460, 0)] {
        assert_eq!(said_after::<Winding>(last).len(), answers, "{last}");
        assert_eq!(said_after::<Standard>(last).len(), answers, "{last}");
    }
}
