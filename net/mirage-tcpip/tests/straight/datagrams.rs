//! Datagrams, and what else there is beside TCP.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::{Context, Poll, Waker};

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::{Net, Outgoing, Receive, Transmit};
use mirage_random::SeededGenerator;
use mirage_stack::Stack as _;
use mirage_tcpip::{Config, Heap, Ipv4Cidr, Profile, Sizes, Stack, Standard, Storage, UdpSocket};
use mirage_vnetif::{Cable, CableEnd};

use crate::{Counting, MAC, OURS, PEERS, STATIONS, Winding, answer, frame};

/// A stack with an echo on port 7, and the network it is on.
struct Subject<P: Profile> {
    stack: &'static Stack<'static, CableEnd, P>,
    echo: UdpSocket<'static, 'static, CableEnd, P>,
    network: CableEnd,
    now: Instant,
}

impl<P: Profile> Subject<P> {
    fn new(cable: Cable) -> Self {
        let (device, network) = cable.connect();
        let mut random = SeededGenerator::new(&mut Counting(7)).expect("the source is no constant");
        let stack = Stack::new(device, Config::default(), Storage::build(Sizes::default(), &mut Heap), &mut random);
        stack.add_address(Ipv4Cidr::new(OURS, 24).expect("a prefix")).expect("there is room");
        let stack: &'static Stack<'_, _, P> = Box::leak(Box::new(stack));
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7);
        let echo = stack.bind(any).expect("the port is free");
        Self { stack, echo, network, now: Instant::from_secs(1) }
    }

    fn arrive(&mut self, bytes: &[u8]) {
        let (_, transmit) = self.network.split();
        transmit.send(Outgoing::new(bytes.len()), |frame| frame.put(bytes)).expect("there is room");
        transmit.flush();
    }

    /// Lets the stack work; gives what it read and said.
    fn work(&mut self, echo: bool) -> (Vec<String>, Vec<Vec<u8>>) {
        let cx = &mut Context::from_waker(Waker::noop());
        let (mut read, mut sent) = (Vec::new(), Vec::new());
        let mut buffer = [0; 2000];
        for _ in 0..3 {
            self.stack.poll(self.now, cx).expect("the cable is in");
            while let Poll::Ready(result) = self.echo.poll_recv(cx, &mut buffer) {
                read.push(format!("{result:?}"));
                let Ok(datagram) = result else { continue };
                let bytes = &buffer[..datagram.len.min(buffer.len())];
                if echo {
                    read.push(format!("{:?}", self.echo.poll_send(cx, None, bytes, datagram.remote)));
                }
            }
        }
        let (receive, _) = self.network.split();
        while let Poll::Ready(Ok(bytes)) = receive.poll_frame(cx, |frame| frame.bytes.to_vec()) {
            sent.push(bytes);
        }
        (read, sent)
    }

    fn say(&self, len: usize, remote: SocketAddr) -> String {
        let cx = &mut Context::from_waker(Waker::noop());
        format!("{:?}", self.echo.poll_send(cx, None, &vec![0x5a; len], remote))
    }

    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut all = Vec::new();
        self.stack.counters().visit(|layer, name, value| all.push((layer, name, value)));
        all
    }
}

fn packet(chance: &mut Counting, source: Ipv4Addr, protocol: u8, body: &[u8]) -> Vec<u8> {
    let rarely = |chance: &mut Counting| chance.below(10) == 0;
    let options = if rarely(chance) { &[1, 1, 1, 1][..] } else { &[] };
    let len = 20 + options.len() + body.len();
    let mut header = vec![0x45 + (options.len() / 4) as u8, chance.below(4) as u8];
    header.extend((len as u16).to_be_bytes());
    let fragment = if rarely(chance) { 0x2000_u16 } else { 0 };
    header.extend((chance.below(3) as u16).to_be_bytes());
    header.extend(fragment.to_be_bytes());
    header.extend([if rarely(chance) { 0 } else { 64 }, protocol, 0, 0]);
    header.extend(source.octets());
    header.extend(if rarely(chance) { [10, 0, 0, 9] } else { OURS.octets() });
    header.extend(options);
    let checksum = Sum::of(&header).finish().to_be_bytes();
    header[10..12].copy_from_slice(&checksum);
    header.extend(body);
    header
}

fn datagram(source: SocketAddr, port: u16, payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len() as u16;
    let mut bytes = [source.port().to_be_bytes(), port.to_be_bytes(), len.to_be_bytes(), [0; 2]].concat();
    bytes.extend(payload);
    let sum = Sum::ZERO.pseudo_header(source.ip(), IpAddr::V4(OURS), 17, len.into()).add_bytes(&bytes);
    bytes[6..8].copy_from_slice(&sum.finish_udp().to_be_bytes());
    bytes
}

/// What the network or the owner does next.
fn happen<P: Profile>(subject: &mut Subject<P>, chance: &mut Counting) -> Vec<String> {
    let which = match chance.below(4) {
        0 => chance.below(3) as usize,
        _ => 0,
    };
    let (peer, station) = (PEERS[which], STATIONS[which]);
    let remote = SocketAddr::new(IpAddr::V4(peer), 5000 + u16::from(chance.below(8) == 0));
    let mut said = Vec::new();
    match chance.below(20) {
        0..=9 => {
            let payload = vec![chance.next() as u8; chance.below(300) as usize];
            let port = if chance.below(10) == 0 { 8 } else { 7 };
            let mut bytes = frame(station, MAC, 0x0800, &packet(chance, peer, 17, &datagram(remote, port, &payload)));
            match chance.below(10) {
                0 => {
                    let bit = chance.below(bytes.len() as u64 * 8) as usize;
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                1 => bytes.extend([0; 20]),
                2 => bytes.truncate(chance.below(bytes.len() as u64) as usize),
                _ => {}
            }
            for _ in 0..1 + chance.below(3) {
                subject.arrive(&bytes);
            }
        }
        10..=12 => {
            let len = chance.below(1500) as usize;
            said.extend((0..1 + chance.below(3)).map(|_| subject.say(len, remote)));
        }
        // A neighbour says where it is: where it was, or elsewhere.
        13 => subject.arrive(&answer(PEERS[which % 2], STATIONS[chance.below(3) as usize])),
        14 => subject.arrive(&answer(PEERS[0], STATIONS[0])),
        15 => {
            let echo = [8, 0, 0xf7, 0xff, 0, 0, 0, 0];
            let bytes = frame(station, MAC, 0x0800, &packet(chance, peer, 1, &echo));
            subject.arrive(&bytes);
        }
        16 => {
            // As when nobody listens there.
            let quoted = [&[0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0][..], &OURS.octets(), &peer.octets()].concat();
            let mut body = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &quoted, &[0, 7, 0x13, 0x88, 0, 8, 0, 0]].concat();
            let checksum = Sum::of(&body).finish().to_be_bytes();
            body[2..4].copy_from_slice(&checksum);
            let bytes = frame(station, MAC, 0x0800, &packet(chance, peer, 1, &body));
            subject.arrive(&bytes);
        }
        17 => {
            let gateway = PEERS[chance.below(2) as usize];
            said.push(format!("{:?}", subject.stack.set_gateway(gateway)));
        }
        18 => {
            let other = Ipv4Cidr::new(Ipv4Addr::new(10, 0, 1, 1), 16 + chance.below(8) as u8).expect("a prefix");
            said.push(format!("{:?}", subject.stack.add_address(other)));
        }
        // More than go out before the others have their turn.
        _ => said.extend((0..70).map(|_| subject.say(30, remote))),
    }
    // Mostly little; at times so much that neighbours are forgotten.
    let millis = match chance.below(20) {
        0 => 2_000_000,
        1..=3 => 1_500,
        _ => chance.below(20),
    };
    subject.now += mirage_clock::Duration::from_millis(millis);
    said
}

fn both(cable: Cable, seed: u64) {
    let (mut straight, mut winding) = (Subject::<Standard>::new(cable), Subject::<Winding>::new(cable));
    let mut chance = Counting(seed);
    for step in 0..400 {
        let mut same = chance.clone();
        assert_eq!(happen(&mut straight, &mut chance), happen(&mut winding, &mut same), "seed {seed}, step {step}");
        let echo = chance.below(5) > 0;
        assert_eq!(straight.work(echo), winding.work(echo), "seed {seed}, step {step}");
        assert_eq!(straight.counters(), winding.counters(), "seed {seed}, step {step}");
    }
}

#[test]
fn the_same_frames_are_answered_with_the_same_frames() {
    for seed in 0..60 {
        both(Cable::new(1500, 256).with_macs([MAC, STATIONS[0]]), seed);
    }
}

#[test]
fn the_same_frames_are_answered_with_the_same_frames_on_a_short_link_with_little_room() {
    for seed in 100..160 {
        both(Cable::new(600, 4).with_macs([MAC, STATIONS[0]]), seed);
    }
}
