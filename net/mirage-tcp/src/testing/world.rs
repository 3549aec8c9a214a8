//! Two machines, the links between them, their applications, and time.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::Poll;

use mirage_clock::{Duration, Instant};
use mirage_net::FrameWriter;
use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Received};

use super::operation::Operation;
use super::pair::{Pair, cx};
use super::side::Side;
use crate::wire::{Checksum, Flags, Header, write_segment};
use crate::{ConnectionId, ListenOptions, ListenerId, Local, TcpOptions};

pub(super) struct World<'s> {
    sides: [Side<'s>; 2],
    pairs: Vec<Pair>,
    listener: ListenerId,
    now: Instant,
}

impl<'s> World<'s> {
    pub(super) fn new(opener: Side<'s>, mut acceptor: Side<'s>) -> Self {
        let local = Local { address: None, port: NonZeroU16::new(80) };
        let options = ListenOptions { backlog: 2, ..ListenOptions::default() };
        let listener = acceptor.tcp.listen(local, options).expect("there is room for one listener");
        Self { sides: [opener, acceptor], pairs: Vec::new(), listener, now: Instant::from_secs(1) }
    }

    pub(super) fn apply(&mut self, operation: &Operation) {
        let now = self.now;
        match *operation {
            Operation::Connect => self.connect(),
            Operation::Accept => _ = self.accept(),
            Operation::Write { side, pair, len } => {
                self.with(side, pair, |pair, sides, side| {
                    pair.write(&mut sides[side].tcp, side, 32 * usize::from(len));
                });
            }
            Operation::Read { side, pair, len } => {
                self.with(side, pair, |pair, sides, side| {
                    let Side { tcp, device, .. } = &mut sides[side];
                    pair.read(tcp, device, side, 32 * usize::from(len));
                });
            }
            Operation::End { side, pair } => {
                self.with(side, pair, |pair, sides, side| pair.end(&mut sides[side].tcp, side));
            }
            Operation::Close { side, pair } => {
                self.with(side, pair, |pair, sides, side| pair.leave(&mut sides[side].tcp, side, false));
            }
            Operation::Abort { side, pair } => {
                self.with(side, pair, |pair, sides, side| pair.leave(&mut sides[side].tcp, side, true));
            }
            Operation::Deliver { side, count } => {
                self.side(1 - side % 2).begin_to_receive();
                (0..=count % 32).for_each(|_| _ = self.deliver(side.into()));
            }
            Operation::Lose { side, which } => self.side(side).sent.lose(which),
            Operation::Double { side, which } => self.side(side).sent.double(which),
            Operation::Overtake { side, which } => self.side(side).sent.overtake(which),
            Operation::Damage { side, which, bit } => self.side(side).sent.damage(which, bit),
            Operation::Stranger { side, flags, seed } => stranger(self.side(side), now, flags, seed),
            Operation::Unreachable { side, which } => unreachable(self.side(side), now, which),
            Operation::Device { side, room } => {
                self.side(side).ip.capacity = if room == 0 { usize::MAX } else { usize::from(room % 8) };
            }
            Operation::Pass { span } => self.pass(Duration::from_millis(5 * u64::from(span) * u64::from(span))),
        }
        for side in &mut self.sides {
            side.transmit(now);
        }
    }

    /// Lets everything settle over a good link, checks it, closes all and checks that nothing is left.
    pub(super) fn finish(&mut self, harmless: bool) {
        for side in &mut self.sides {
            side.ip.capacity = usize::MAX;
        }
        self.settle(Duration::from_secs(400), true);
        for pair in &self.pairs {
            pair.check_delivered(harmless);
        }
        for pair in &mut self.pairs {
            for (side, machine) in self.sides.iter_mut().enumerate() {
                pair.leave(&mut machine.tcp, side, false);
            }
        }
        // What nobody accepted is reset with its listener.
        self.sides[1].tcp.close_listener(self.listener);
        self.settle(Duration::from_secs(1000), false);
        for side in &self.sides {
            let stats = side.tcp.stats();
            let left = [stats.connections, stats.half_open, stats.time_wait, stats.blocks_in_use];
            assert_eq!(left, [0; 4], "something is left: {stats:?}");
            assert_eq!(side.tcp.poll_timeout(), None, "a timer is left");
        }
    }

    fn connect(&mut self) {
        let remote = SocketAddr::new(THERE, 80);
        let opened = self.sides[0].tcp.connect(self.now, HERE, None, remote, TcpOptions::default());
        let Ok(id) = opened else { return };
        let port = self.sides[0].tcp.local(id).map_or(0, |local| local.port());
        let mut pair = Pair { port, ..Pair::default() };
        pair.ends[0].id = Some(id);
        self.pairs.push(pair);
    }

    /// Accepts a connection; gives whether there was one.
    fn accept(&mut self) -> bool {
        let tcp = &mut self.sides[1].tcp;
        let Poll::Ready(accepted) = tcp.poll_accept(self.listener, &mut cx()) else { return false };
        let id = accepted.expect("the listener is there");
        let remote = tcp.remote(id).expect("an accepted connection has another end");
        // Ports go up, so the youngest is meant; one that nobody opened is a stranger's.
        match self.pairs.iter_mut().rev().find(|pair| pair.port == remote.port() && pair.ends[1].id.is_none()) {
            Some(pair) if !pair.ends[1].left && !is_forged(&self.sides, pair, id) => pair.ends[1].id = Some(id),
            _ => self.sides[1].tcp.abort(id),
        }
        true
    }

    fn with(&mut self, side: u8, pair: u8, act: impl FnOnce(&mut Pair, &mut [Side<'s>; 2], usize)) {
        if let Some(place) = usize::from(pair).checked_rem(self.pairs.len()) {
            act(&mut self.pairs[place], &mut self.sides, usize::from(side) % 2);
        }
    }

    fn side(&mut self, side: u8) -> &mut Side<'s> {
        &mut self.sides[usize::from(side) % 2]
    }

    /// Delivers the oldest packet that `from` sent; gives whether there was one.
    fn deliver(&mut self, from: usize) -> bool {
        let from = from % 2;
        let Some(packet) = self.sides[from].sent.next() else { return false };
        self.sides[1 - from].receive(self.now, &packet);
        true
    }

    /// Lets time pass; nothing arrives meanwhile.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..100_000 {
            for side in &mut self.sides {
                side.transmit(self.now);
            }
            match self.next_timer() {
                Some(next) if next <= end => self.wake(next),
                _ => return self.now = end,
            }
        }
        panic!("timers go off without end");
    }

    /// Lets time pass over a good link; `read` for applications that accept and read whatever comes.
    fn settle(&mut self, span: Duration, read: bool) {
        let end = self.now + span;
        for _ in 0..100_000 {
            for side in &mut self.sides {
                side.transmit(self.now);
            }
            let mut busy = (0..2).any(|from| !self.sides[from].sent.is_empty());
            for from in 0..2 {
                self.sides[1 - from].begin_to_receive();
                while self.deliver(from) {}
            }
            if read {
                busy |= self.read_all();
            }
            if busy {
                continue;
            }
            match self.next_timer() {
                Some(next) if next <= end => self.wake(next),
                _ => return self.now = end,
            }
        }
        panic!("two machines talk without end");
    }

    fn read_all(&mut self) -> bool {
        let mut busy = self.accept();
        for pair in &mut self.pairs {
            for (side, machine) in self.sides.iter_mut().enumerate() {
                busy |= pair.read(&mut machine.tcp, &machine.device, side, 4096);
            }
        }
        busy
    }

    fn next_timer(&self) -> Option<Instant> {
        self.sides.iter().filter_map(|side| side.tcp.poll_timeout()).min()
    }

    fn wake(&mut self, at: Instant) {
        self.now = self.now.max(at);
        for side in &mut self.sides {
            side.wake(self.now);
        }
    }
}

/// Whether the acceptor took for a cookie what was none: the peer began with another number. A cookie has 28 bits to tell, and so
/// has one acknowledgement in 2²⁸ that belongs to nothing any more, when cookies are out.
fn is_forged(sides: &[Side<'_>; 2], pair: &Pair, accepted: ConnectionId) -> bool {
    let [opener, acceptor] = sides;
    let number = pair.ends[0].id.and_then(|id| opener.tcp.slot(id)).map(|slot| slot.iss);
    let known = acceptor.tcp.slot(accepted).map(|slot| slot.irs);
    number.is_some() && number != known && acceptor.tcp.stats().cookies_accepted > 0
}

/// A segment from somebody who takes no part: his ports are not those of any connection.
fn stranger(side: &mut Side<'_>, now: Instant, flags: u8, seed: u8) {
    let mut buffer = [0; 64];
    let mut writer = FrameWriter::new(&mut buffer);
    let number = u32::from(seed).wrapping_mul(0x0101_0101);
    let header = Header {
        source_port: 1 + u16::from(seed),
        destination_port: if seed.is_multiple_of(3) { 81 } else { 80 },
        seq: mirage_checksum::SequenceNumber(number),
        ack: mirage_checksum::SequenceNumber(!number),
        flags: Flags::from_bits_retain(flags),
        accurate: seed % 2 == 1,
        window: u16::from(seed) << 8,
    };
    let here = side.ip.source.unwrap_or(HERE);
    let from = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 3 + seed % 2));
    write_segment(&mut writer, (from, here), &header, &[seed; 8], [&[seed; 5][..]], Checksum::Complete);
    let _counted = side.tcp.input(now, &Received::new(from, here, writer.written()));
}

/// A router's word about a packet that is on its way.
fn unreachable(side: &mut Side<'_>, now: Instant, which: u8) {
    let Some(sent) = side.sent.get(which) else { return };
    let error = IcmpError {
        kind: if which.is_multiple_of(2) { IcmpErrorKind::PortUnreachable } else { IcmpErrorKind::HostUnreachable },
        reporter: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 254)),
        source: sent.packet.source,
        destination: sent.packet.destination,
        protocol: Protocol::TCP,
        quoted: sent.bytes.get(..8).unwrap_or_default(),
    };
    let _counted = side.tcp.on_icmp_error(now, &error);
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
