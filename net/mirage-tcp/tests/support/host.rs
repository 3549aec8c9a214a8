//! One machine with its own storage, clock and IP layer.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_net::ReceivedChecksum;
use mirage_protocols::testing::{FakeIp, SentPacket};
use mirage_protocols::{Protocol, Received};
use mirage_tcp::{
    Block, Config, ConnectError, ConnectionId, Discard, Error, HalfOpenSlot, ListenError, ListenOptions, ListenerId,
    ListenerSlot, Local, ManagedSlice, Profile, RunSlot, Secrets, Slot, Standard, Storage, Tcp, TcpOptions,
    TimeWaitSlot, TimerSlot,
};
use mirage_waker::WakerPool;

use super::Segment;

/// The machine's address.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
/// The peer's address.
pub const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

/// How much storage a machine is lent.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub connections: usize,
    pub listeners: usize,
    pub time_wait: usize,
    pub half_open: usize,
    pub blocks: usize,
    pub wakers: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { connections: 16, listeners: 8, time_wait: 16, half_open: 16, blocks: 512, wakers: 64 }
    }
}

/// A machine with all of TCP.
pub type Host = Machine<Standard>;

/// A machine, what it runs on, and the time it is told.
pub struct Machine<P: Profile> {
    pub tcp: Tcp<'static, P>,
    pub ip: FakeIp,
    pub now: Instant,
}

impl<P: Profile> Default for Machine<P> {
    fn default() -> Self {
        Self::new(Config::default(), Sizes::default())
    }
}

impl<P: Profile> Machine<P> {
    pub fn new(config: Config, sizes: Sizes) -> Self {
        Self::at([10, 0, 0, 1], config, sizes)
    }

    /// A machine at another address.
    pub fn at(address: [u8; 4], config: Config, sizes: Sizes) -> Self {
        let Sizes { connections, listeners, time_wait, half_open, blocks, wakers } = sizes;
        let storage = Storage {
            connections: lent(vec![Slot::default(); connections]),
            buckets: lent(vec![0; Storage::buckets_for(connections, half_open, time_wait, listeners)]),
            listeners: lent(vec![ListenerSlot::default(); listeners]),
            time_wait: lent(vec![TimeWaitSlot::default(); time_wait]),
            half_open: lent(vec![HalfOpenSlot::default(); half_open]),
            runs: lent(vec![RunSlot::default(); 256]),
            timers: lent(vec![TimerSlot::default(); Storage::timers_for(connections, half_open)]),
            blocks: lent(vec![Block::default(); blocks]),
            wakers: WakerPool::new(lent((0..wakers).map(|_| mirage_waker::Slot::EMPTY).collect())),
        };
        let mut secret = [0; 64];
        for (place, byte) in secret.iter_mut().enumerate() {
            *byte = (place as u8).wrapping_mul(37) ^ address[3];
        }
        let ip = FakeIp::new(address);
        Self { tcp: Tcp::new(config, storage, Secrets::new(secret)), ip, now: Instant::from_secs(1000) }
    }

    pub fn address(&self) -> IpAddr {
        self.ip.source.unwrap()
    }

    /// Hands a segment to the machine.
    pub fn input(&mut self, segment: &Segment) -> Result<(), Discard> {
        let bytes = segment.bytes();
        let received = Received::new(segment.from.ip(), segment.to.ip(), &bytes);
        self.tcp.input(self.now, &Received { ecn: segment.ecn, ..received })
    }

    /// Hands any bytes to the machine.
    pub fn input_bytes(
        &mut self,
        from: IpAddr,
        to: IpAddr,
        bytes: &[u8],
        checksum: ReceivedChecksum,
    ) -> Result<(), Discard> {
        let received = Received { checksum, ..Received::new(from, to, bytes) };
        self.tcp.input(self.now, &received)
    }

    /// What the machine wants to send now.
    pub fn output(&mut self) -> Vec<Segment> {
        let mut rounds = 0;
        while self.tcp.poll_transmit(self.now, &mut self.ip, 16).expect("the IP layer takes everything") {
            rounds += 1;
            assert!(rounds < 10_000, "sends without end");
        }
        self.ip.sent.drain(..).map(read_sent).collect()
    }

    /// Hands a segment in and gives what the machine answers at once.
    pub fn answer(&mut self, segment: &Segment) -> Vec<Segment> {
        let _ = self.input(segment);
        self.output()
    }

    /// Lets time pass, waking the machine whenever it asked for it; gives what it sent, each with the time since the call.
    pub fn pass(&mut self, span: Duration) -> Vec<(Duration, Segment)> {
        let start = self.now;
        let end = start + span;
        let mut sent = Vec::new();
        let mut rounds = 0;
        loop {
            sent.extend(self.output().into_iter().map(|segment| (self.now - start, segment)));
            match self.tcp.poll_timeout() {
                Some(next) if next <= end => {
                    rounds += 1;
                    assert!(rounds < 100_000, "wakes without end");
                    self.now = self.now.max(next);
                    self.tcp.handle_timeout(self.now);
                }
                _ => break,
            }
        }
        self.now = end;
        sent
    }

    /// Lets time pass and gives only what was sent.
    pub fn sent_within(&mut self, span: Duration) -> Vec<Segment> {
        self.pass(span).into_iter().map(|(_, segment)| segment).collect()
    }

    pub fn listen(&mut self, port: u16) -> ListenerId {
        self.listen_with(None, Some(port), ListenOptions::default()).unwrap()
    }

    pub fn listen_with(
        &mut self,
        address: Option<IpAddr>,
        port: Option<u16>,
        options: ListenOptions,
    ) -> Result<ListenerId, ListenError> {
        self.tcp.listen(Local { address, port: port.and_then(NonZeroU16::new) }, options)
    }

    pub fn accept(&mut self, listener: ListenerId) -> Option<ConnectionId> {
        match self.tcp.poll_accept(listener, &mut cx()) {
            Poll::Ready(accepted) => Some(accepted.unwrap()),
            Poll::Pending => None,
        }
    }

    pub fn connect(&mut self, remote: SocketAddr) -> Result<ConnectionId, ConnectError> {
        self.tcp.connect(self.now, self.address(), None, remote, TcpOptions::default())
    }

    pub fn connected(&mut self, id: ConnectionId) -> Poll<Result<(), Error>> {
        self.tcp.poll_connected(id, &mut cx())
    }

    /// Writes as much as there is room for; gives how much.
    pub fn write(&mut self, id: ConnectionId, bytes: &[u8]) -> usize {
        let mut written = 0;
        while written < bytes.len() {
            match self.tcp.poll_write(id, &mut cx(), &bytes[written..]) {
                Poll::Ready(count) => written += count.expect("can be written to"),
                Poll::Pending => break,
            }
        }
        written
    }

    pub fn try_write(&mut self, id: ConnectionId, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        self.tcp.poll_write(id, &mut cx(), bytes)
    }

    pub fn try_write_record(&mut self, id: ConnectionId, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        self.tcp.poll_write_record(id, &mut cx(), bytes)
    }

    /// Reads what is there, up to the end.
    pub fn read(&mut self, id: ConnectionId) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 65_536];
        while let Poll::Ready(count) = self.tcp.poll_read(id, &mut cx(), &mut buffer) {
            match count.expect("can be read from") {
                0 => break,
                count => bytes.extend(&buffer[..count]),
            }
        }
        bytes
    }

    /// Reads once, at most `most` bytes.
    pub fn read_some(&mut self, id: ConnectionId, most: usize) -> Poll<Result<Vec<u8>, Error>> {
        let mut buffer = vec![0; most];
        self.tcp.poll_read(id, &mut cx(), &mut buffer).map(|count| {
            buffer.truncate(count?);
            Ok(buffer)
        })
    }

    /// Whether the peer's end has been read.
    pub fn at_end(&mut self, id: ConnectionId) -> bool {
        matches!(self.read_some(id, 1), Poll::Ready(Ok(bytes)) if bytes.is_empty())
    }
}

fn read_sent(SentPacket { packet, bytes }: SentPacket) -> Segment {
    assert_eq!(packet.protocol, Protocol::TCP);
    let segment = Segment::read(packet.source, packet.destination, &bytes, packet.checksum.is_some());
    segment.ecn(packet.ecn)
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn lent<T>(storage: Vec<T>) -> ManagedSlice<'static, T> {
    ManagedSlice::Borrowed(storage.leak())
}
