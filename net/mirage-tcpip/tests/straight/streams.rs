//! Streams that come in bursts, as those that go on do, with everything that may come between.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::{Context, Poll, Waker};

use mirage_checksum::Sum;
use mirage_clock::{Duration, Instant};
use mirage_net::{Net, Outgoing, Receive, Transmit};
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
    fn new() -> Self {
        let (device, network) = Cable::new(1600, 256).with_macs([MAC, STATIONS[0]]).connect();
        let mut random = SeededGenerator::new(&mut Counting(7)).expect("the source is no constant");
        let stack = Stack::new(device, Config::default(), Storage::build(Sizes::default(), &mut Heap), &mut random);
        stack.add_address(Ipv4Cidr::new(OURS, 24).expect("a prefix")).expect("there is room");
        let stack: &'static Stack<'_, _, P> = Box::leak(Box::new(stack));
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 80);
        let listener = stack.listen(any, ListenOptions::default()).expect("the port is free");
        Self { stack, listener, streams: Vec::new(), network, now: Instant::from_secs(1) }
    }

    fn arrive(&mut self, bytes: &[u8]) {
        let (_, transmit) = self.network.split();
        transmit.send(Outgoing::new(bytes.len()), |frame| frame.put(bytes)).expect("there is room");
        transmit.flush();
    }

    /// Lets the stack work; gives what was read of each stream, and what it sent.
    fn work(&mut self, reads: bool) -> (Vec<String>, Vec<Vec<u8>>) {
        let cx = &mut Context::from_waker(Waker::noop());
        self.stack.poll(self.now, cx).expect("the cable is in");
        while let Poll::Ready(Ok(stream)) = self.listener.poll_accept(cx) {
            self.streams.push(stream);
        }
        let mut read = Vec::new();
        for stream in self.streams.iter_mut().filter(|_| reads) {
            let mut bytes = Vec::new();
            let result = stream.poll_read_each(cx, |piece| {
                bytes.extend_from_slice(piece);
                piece.len()
            });
            read.push(format!("{result:?} {:x}", Sum::of(&bytes).finish()));
        }
        self.stack.poll(self.now, cx).expect("the cable is in");
        let (receive, _) = self.network.split();
        let mut sent = Vec::new();
        while let Poll::Ready(Ok(bytes)) = receive.poll_frame(cx, |frame| frame.bytes.to_vec()) {
            sent.push(bytes);
        }
        (read, sent)
    }

    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut all = Vec::new();
        self.stack.counters().visit(|layer, name, value| all.push((layer, name, value)));
        all
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
        bytes.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
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
    fn some(&mut self, chance: &mut Counting, len: usize) -> Vec<u8> {
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
        bytes
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}

/// The acknowledgement for `peer` that the last of these frames carries, and the number of the SYN-ACK.
fn heard(peer: &mut Peer, sent: &[Vec<u8>]) {
    for frame in sent.iter().filter(|frame| frame.len() >= 54 && frame[12..14] == [8, 0] && frame[23] == 6) {
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
    let (mut straight, mut winding) = (Subject::<Standard>::new(), Subject::<Winding>::new());
    let mut chance = Counting(seed);
    let mut peers = [Peer::new(0, 5000), Peer::new(1, 5000), Peer::new(0, 5001)];
    for step in 0..150 {
        let peer = &mut peers[[0, 0, 0, 0, 1, 2][chance.below(6) as usize]];
        let mut frames = Vec::new();
        if peer.ack == 0 {
            peer.next = 1000;
            frames.push(peer.segment(SYN, 0, &[]));
        } else {
            let len = [1460, 1460, 1460, 700, 100][chance.below(5) as usize];
            for _ in 0..1 + chance.below(8) {
                frames.push(peer.some(&mut chance, len));
                if chance.below(30) == 0 {
                    let other = Peer { which: peer.which, port: 9, next: 1, ack: 0, identification: 0 };
                    frames.push({ other }.segment(ACK, 0, &[0; 600]));
                }
            }
        }
        for bytes in frames.iter().filter(|bytes| !bytes.is_empty()) {
            straight.arrive(bytes);
            winding.arrive(bytes);
        }
        let reads = chance.below(4) > 0;
        let (said, same) = (straight.work(reads), winding.work(reads));
        assert_eq!(said, same, "seed {seed}, step {step}");
        assert_eq!(straight.counters(), winding.counters(), "seed {seed}, step {step}");
        for asked in said.1.iter().filter(|frame| frame[12..14] == [8, 6]) {
            for which in (0..2).filter(|which| asked[38..42] == PEERS[*which].octets()) {
                straight.arrive(&answer(PEERS[which], STATIONS[which]));
                winding.arrive(&answer(PEERS[which], STATIONS[which]));
            }
        }
        for peer in &mut peers {
            heard(peer, &said.1);
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
