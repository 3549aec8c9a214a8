//! A host and one peer, who speak in lines: `flags sequence+length aacknowledgment wwindow`, numbers counted from each side's
//! SYN. `"A 1+1000 a1 w8000"` is a thousand bytes with an acknowledgement.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_net::Frame;
use mirage_stack::{ErrorKind, ListenOptions, TcpOptions};
use mirage_tiny::{ConnectionId, Count, Host, Ipv4Cidr, ListenerId, Sizes, Storage};

use crate::wire::{ACK, FIN, GATEWAY, OUR_MAC, PEER, PEER_MAC, RST, SYN, Segment, US, Wire, arp};

/// The peer's first sequence number: it soon goes round the end.
pub const ISS: u32 = 0u32.wrapping_sub(1_500);
/// The port here, and the port there.
pub const PORT: u16 = 80;
pub const THEIRS: u16 = 4_000;

pub struct Bench {
    pub host: Host<'static>,
    pub wire: Wire,
    pub now: Instant,
    pub remote: SocketAddrV4,
    pub port: u16,
    /// Our first sequence number, once it was seen.
    pub isn: u32,
    /// Somebody answers ARP requests.
    pub answers: bool,
}

/// So many milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many seconds.
pub const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Eight connections with 8,000 bytes each way.
pub fn sizes() -> Sizes {
    Sizes { connections: 8, buffer: 8_000, listeners: 2, neighbours: 4, sockets: 2, datagrams: 1_000 }
}

/// Bytes of a stream from its `at`-th on: each tells its place.
pub fn bytes(at: u32, len: usize) -> Vec<u8> {
    (0..len as u32).map(|offset| at.wrapping_add(offset) as u8 ^ (at.wrapping_add(offset) >> 8) as u8).collect()
}

impl Bench {
    pub fn new() -> Self {
        Self::with(sizes())
    }

    /// A host that knows its neighbours, after an hour.
    pub fn with(sizes: Sizes) -> Self {
        let mut host = Host::new(OUR_MAC, 1_500, Storage::allocate(sizes), [7; 16]);
        host.set_address(Ipv4Cidr::new(US, 24).expect("24 is a prefix length"));
        host.set_gateway(GATEWAY);
        let remote = SocketAddrV4::new(PEER, THEIRS);
        let now = Instant::from_secs(3_600);
        let mut bench = Self { host, wire: Wire::default(), now, remote, port: PORT, isn: 0, answers: true };
        bench.tell_neighbours();
        bench
    }

    /// The peer and the gateway ask for us, so that we know them.
    pub fn tell_neighbours(&mut self) {
        self.frame(&arp(1, (PEER_MAC, PEER), ([0; 6], US)));
        self.frame(&arp(1, (PEER_MAC, GATEWAY), ([0; 6], US)));
        self.wire.sent.retain(|(_, frame)| frame[12..14] != [8, 6]);
    }

    /// A host on which somebody listens, with an established connection from the peer, which takes 1,000 bytes in a segment.
    pub fn established() -> (Self, ConnectionId) {
        Self::established_with(ListenOptions::default(), sizes())
    }

    pub fn established_with(options: ListenOptions, sizes: Sizes) -> (Self, ConnectionId) {
        let mut bench = Self::with(sizes);
        let door = bench.listen_with(options);
        let id = bench.open(door);
        (bench, id)
    }

    pub fn listen(&mut self) -> ListenerId {
        self.listen_with(ListenOptions::default())
    }

    pub fn listen_with(&mut self, options: ListenOptions) -> ListenerId {
        self.host.listen(PORT, options).expect("the port is free")
    }

    /// The peer connects.
    pub fn open(&mut self, door: ListenerId) -> ConnectionId {
        self.tell("S 0+0 a0 w8000 m1000");
        let said = self.said();
        assert!(said.len() == 1 && said[0].starts_with("SA 0+0 a1 "), "an answer to the SYN: {said:?}");
        self.tell("A 1+0 a1 w8000");
        self.says(&[]);
        self.accept(door).expect("a connection waits")
    }

    pub fn accept(&mut self, door: ListenerId) -> Option<ConnectionId> {
        match self.host.poll_accept(door, &Context::from_waker(Waker::noop())) {
            Poll::Ready(id) => Some(id.expect("somebody listens")),
            Poll::Pending => None,
        }
    }

    /// We connect to the peer's port 4,000: what follows is about that connection.
    pub fn connect(&mut self, options: &TcpOptions) -> ConnectionId {
        let id = self.host.connect(self.remote, options).expect("a slot is free");
        self.port = self.host.ends(id).0;
        self.transmit();
        id
    }

    /// What became of an attempt to connect.
    pub fn connected(&mut self, id: ConnectionId) -> Poll<Result<(), ErrorKind>> {
        self.host.poll_connected(id, &Context::from_waker(Waker::noop()))
    }

    /// The application reads up to `len` bytes.
    pub fn read(&mut self, id: ConnectionId, len: usize) -> Poll<Result<Vec<u8>, ErrorKind>> {
        let mut buffer = vec![0; len];
        let read = self.host.poll_read(id, &Context::from_waker(Waker::noop()), &mut buffer);
        self.transmit();
        read.map_ok(|count| buffer[..count].to_vec())
    }

    /// The application reads what is there, which are the bytes from the `at`-th to the `to`-th of the peer's stream.
    pub fn reads(&mut self, id: ConnectionId, at: u32, to: u32) {
        let read = self.read(id, 100_000);
        assert!(read == Poll::Ready(Ok(bytes(at, (to - at) as usize))), "not the bytes from {at} to {to}");
    }

    /// The application writes the `len` bytes of its stream from the `at`-th on, all of which have room.
    pub fn write(&mut self, id: ConnectionId, at: u32, len: usize) {
        let written = self.host.poll_write(id, &Context::from_waker(Waker::noop()), &bytes(at, len));
        assert_eq!(written, Poll::Ready(Ok(len)));
        self.transmit();
    }

    /// Everything goes out. Who asks for a hardware address gets the peer's.
    pub fn transmit(&mut self) {
        self.wire.now = self.now;
        while self.host.poll_transmit(self.now, &mut self.wire, 8) == Ok(true) {}
        if !self.answers {
            return;
        }
        let asked: Vec<_> =
            self.wire.sent.extract_if(.., |(_, frame)| frame[12..14] == [8, 6] && frame[21] == 1).collect();
        for (_, frame) in asked {
            let target = Ipv4Addr::from(*frame[38..].first_chunk::<4>().expect("a whole request"));
            self.host.input(self.now, &Frame::new(&arp(2, (PEER_MAC, target), (OUR_MAC, US))), &mut self.wire);
        }
    }

    /// A frame comes in, and what follows from it goes out.
    pub fn frame(&mut self, frame: &[u8]) {
        self.wire.now = self.now;
        self.host.input(self.now, &Frame::new(frame), &mut self.wire);
        self.transmit();
    }

    /// A segment of the peer's comes in, and what follows from it goes out.
    pub fn tell(&mut self, line: &str) {
        let segment = self.segment(line);
        self.frame(&segment.frame());
    }

    /// The segments come in together before anything goes out.
    pub fn tell_together(&mut self, lines: &[&str]) {
        self.wire.now = self.now;
        for line in lines {
            let frame = self.segment(line).frame();
            self.host.input(self.now, &Frame::new(&frame), &mut self.wire);
        }
        self.transmit();
    }

    /// The segment that a line means.
    pub fn segment(&self, line: &str) -> Segment {
        let mut words = line.split(' ');
        let flags = words.next().expect("flags").chars().map(|letter| match letter {
            'F' => FIN,
            'S' => SYN,
            'R' => RST,
            'A' => ACK,
            _ => panic!("no flag: {letter}"),
        });
        let number = |word: &str| word.parse::<i64>().expect("a number") as u32;
        let mut segment = Segment {
            from: self.remote,
            to: SocketAddrV4::new(US, self.port),
            flags: flags.sum(),
            seq: 0,
            ack: 0,
            window: 0,
            options: Vec::new(),
            payload: Vec::new(),
        };
        for word in words {
            let (first, rest) = word.split_at(1);
            match first {
                "a" if segment.flags & ACK != 0 => segment.ack = self.isn.wrapping_add(number(rest)),
                "a" => segment.ack = number(rest),
                "w" => segment.window = number(rest) as u16,
                "m" => segment.options = [&[2, 4][..], &(number(rest) as u16).to_be_bytes()].concat(),
                _ => {
                    let (at, len) = word.split_once('+').expect("sequence+length");
                    segment.seq = ISS.wrapping_add(number(at));
                    segment.payload = bytes(number(at), number(len) as usize);
                }
            }
        }
        segment
    }

    /// The line of a segment of ours.
    fn line(&mut self, segment: &Segment) -> String {
        assert_eq!((segment.from, segment.to), (SocketAddrV4::new(US, self.port), self.remote));
        if segment.flags & SYN != 0 {
            self.isn = segment.seq;
        }
        let letters = [(FIN, 'F'), (SYN, 'S'), (RST, 'R'), (ACK, 'A')];
        let flags: String =
            letters.iter().filter(|(flag, _)| segment.flags & flag != 0).map(|(_, letter)| *letter).collect();
        let at = segment.seq.wrapping_sub(self.isn);
        let ack = if segment.flags & ACK == 0 { segment.ack } else { segment.ack.wrapping_sub(ISS) };
        if !segment.payload.is_empty() {
            assert!(segment.payload == bytes(at, segment.payload.len()), "other bytes than were written: {segment:?}");
        }
        let mut line = format!("{flags} {at}+{} a{ack} w{}", segment.payload.len(), segment.window);
        if let [2, 4, high, low] = segment.options[..] {
            line += &format!(" m{}", u16::from_be_bytes([high, low]));
        } else {
            assert!(segment.options.is_empty(), "an option that nobody knows: {segment:?}");
        }
        line
    }

    /// What was said since the last look, with the time of each.
    pub fn said_when(&mut self) -> Vec<(Instant, String)> {
        let sent = core::mem::take(&mut self.wire.sent);
        let lines = sent.iter().map(|(at, frame)| match Segment::parse(frame) {
            Some(segment) => (*at, self.line(&segment)),
            None => (*at, format!("no segment: {frame:?}")),
        });
        lines.collect()
    }

    /// What was said since the last look.
    pub fn said(&mut self) -> Vec<String> {
        self.said_when().into_iter().map(|(_, line)| line).collect()
    }

    /// Asserts what was said since the last look.
    #[track_caller]
    pub fn says(&mut self, lines: &[&str]) {
        assert_eq!(self.said(), lines);
    }

    /// Lets time pass, and all that is due in it happen.
    pub fn pass(&mut self, span: Duration) {
        self.transmit();
        let end = self.now + span;
        let mut rounds = 0;
        while self.host.poll_timeout() <= end {
            self.now = self.now.max(self.host.poll_timeout());
            self.host.handle_timeout(self.now);
            self.transmit();
            rounds += 1;
            assert!(rounds < 100_000, "somebody spins");
        }
        self.now = end;
        self.host.handle_timeout(self.now);
        self.transmit();
    }

    pub fn count(&self, count: Count) -> u64 {
        self.host.counters().get(count)
    }
}
