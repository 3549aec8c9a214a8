//! Two machines, their applications, and the paths between them.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_net::ReceivedChecksum;
use mirage_protocols::testing::{FakeIp, SentPacket};
use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Received};
use mirage_tcp::{ListenOptions, ListenerId, Local, Profile, Tcp, TcpOptions};

use super::application::Application;
use super::case::{self, Case};
use super::path::{Fate, Path};

pub struct World<'s, 'c, P: Profile> {
    case: &'c Case,
    machines: [(Tcp<'s, P>, FakeIp); 2],
    paths: [Path<'c>; 2],
    applications: [Application<'c>; 2],
    listener: ListenerId,
    now: Instant,
}

impl<'s, 'c, P: Profile> World<'s, 'c, P> {
    pub fn new(case: &'c Case, opener: (Tcp<'s, P>, FakeIp), acceptor: (Tcp<'s, P>, FakeIp)) -> Self {
        let now = Instant::from_secs(1);
        let mut machines = [opener, acceptor];
        let options = |end: usize| TcpOptions { nodelay: case.ends[end].nodelay, ..TcpOptions::default() };
        let door = Local { address: None, port: NonZeroU16::new(80) };
        let listen = ListenOptions { backlog: 1, tcp: options(1) };
        let listener = machines[1].0.listen(door, listen).expect("there is room for one listener");
        let [here, there] = [0, 1].map(|end| IpAddr::from(case.ends[end].address));
        let id = machines[0].0.connect(now, here, None, SocketAddr::new(there, 80), options(0));
        let mut applications = [0, 1].map(|end| Application::new(&case.ends[end], end));
        applications[0].id = Some(id.expect("there is room for a connection"));
        let paths = [0, 1].map(|way| Path::new(&case.paths[way], case.seed * 2 + way as u64, now));
        Self { case, machines, paths, applications, listener, now }
    }

    /// Plays the case to its end; gives whether everything arrived.
    pub fn run(&mut self) -> bool {
        let end = self.now + Duration::from_secs(3600);
        let mut rounds = 0;
        while self.step(end) {
            rounds += 1;
            assert!(rounds < 1_000_000, "two machines talk without end");
            if self.is_over() {
                break;
            }
        }
        let complete = self.check();
        assert!(complete || !self.case.hopeful, "not everything arrived: {:?}", self.figures());
        self.close();
        complete
    }

    /// What each application wrote and read, and its error.
    fn figures(&self) -> [(usize, usize, bool, Option<mirage_tcp::Error>); 2] {
        [0, 1].map(|end| {
            let application = &self.applications[end];
            (application.written, application.read, application.saw_end, application.error)
        })
    }

    fn is_over(&self) -> bool {
        let done = self.applications.iter().all(Application::is_done);
        done || self.applications.iter().all(|application| application.error.is_some())
    }

    /// Everything that one wrote the other has read, or somebody was told.
    fn check(&self) -> bool {
        let [here, there] = &self.applications;
        for (reader, writer) in [(here, there), (there, here)] {
            assert!(reader.read <= writer.written, "more was read than written");
            if reader.saw_end {
                assert_eq!(reader.read, writer.written, "the end came before all that was written");
            }
        }
        let complete = here.is_done() && there.is_done();
        let told = here.error.is_some() || there.error.is_some();
        assert!(complete || told, "bytes are missing and nobody was told: {:?}", self.figures());
        complete
    }

    /// Over a good link, everything that is left goes away.
    fn close(&mut self) {
        const GOOD: case::Path = case::Path {
            lost: 0,
            doubled: 0,
            damaged: 0,
            late: 0,
            marked: 0,
            lateness: Duration::ZERO,
            delay: Duration::from_millis(1),
            queue: usize::MAX,
            mtu: 1500,
            silent: false,
            outage: (Duration::ZERO, Duration::ZERO),
        };
        for (machine, application) in self.machines.iter_mut().zip(&mut self.applications) {
            if let Some(id) = application.id.take() {
                machine.0.close(id);
            }
        }
        self.machines[1].0.close_listener(self.listener);
        for path in &mut self.paths {
            path.repair(&GOOD);
        }
        let end = self.now + Duration::from_secs(1000);
        let mut rounds = 0;
        while self.step(end) {
            rounds += 1;
            assert!(rounds < 1_000_000, "two machines talk without end");
        }
        for (tcp, _) in &self.machines {
            let stats = tcp.stats();
            let left = [stats.connections, stats.half_open, stats.time_wait, stats.blocks_in_use];
            assert_eq!(left, [0; 4], "something is left: {stats:?}");
            assert_eq!(tcp.poll_timeout(), None, "a timer is left");
        }
    }

    /// Lets time pass up to what happens next; `false` if nothing does before `end`.
    fn step(&mut self, end: Instant) -> bool {
        self.accept();
        for (machine, application) in self.machines.iter_mut().zip(&mut self.applications) {
            application.work(&mut machine.0, self.now);
        }
        (0..2).for_each(|from| self.transmit(from));
        let timers = self.machines.iter().map(|(tcp, _)| tcp.poll_timeout());
        let arrivals = self.paths.iter().map(Path::next);
        let alarms = self.applications.iter().map(Application::next);
        let Some(next) = timers.chain(arrivals).chain(alarms).flatten().min() else { return false };
        if next > end {
            return false;
        }
        self.now = self.now.max(next);
        for from in 0..2 {
            while let Some(packet) = self.paths[from].receive(self.now) {
                self.receive(1 - from, &packet);
            }
        }
        for (tcp, _) in &mut self.machines {
            tcp.handle_timeout(self.now);
            let next = tcp.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now) || tcp.wants_transmit(), "a timer was not served");
        }
        true
    }

    fn accept(&mut self) {
        let tcp = &mut self.machines[1].0;
        let mut cx = Context::from_waker(Waker::noop());
        if self.applications[1].id.is_none()
            && let Poll::Ready(Ok(id)) = tcp.poll_accept(self.listener, &mut cx)
        {
            self.applications[1].id = Some(id);
        }
    }

    fn transmit(&mut self, from: usize) {
        let (tcp, ip) = &mut self.machines[from];
        let mut rounds = 0;
        while tcp.poll_transmit(self.now, ip, 16).expect("the layer takes everything") {
            rounds += 1;
            assert!(rounds < 10_000, "a machine sends without end");
        }
        for packet in core::mem::take(&mut self.machines[from].1.sent) {
            if let Fate::TooLong(packet) = self.paths[from].send(self.now, packet) {
                self.complain(from, &packet);
            }
        }
    }

    fn receive(&mut self, to: usize, sent: &SentPacket) {
        let packet = &sent.packet;
        let checksum = match packet.checksum {
            Some(_) => ReceivedChecksum::Verified,
            None => ReceivedChecksum::Unchecked,
        };
        let received = Received {
            checksum,
            ecn: packet.ecn,
            segment_size: packet.segment_size,
            ..Received::new(packet.source, packet.destination, &sent.bytes)
        };
        let _counted = self.machines[to].0.input(self.now, &received);
    }

    /// A router on the way says that the packet is too long.
    fn complain(&mut self, to: usize, sent: &SentPacket) {
        let error = IcmpError {
            kind: IcmpErrorKind::FragmentationNeeded { mtu: self.case.paths[to].mtu as u16 },
            reporter: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            source: sent.packet.source,
            destination: sent.packet.destination,
            protocol: Protocol::TCP,
            quoted: &sent.bytes[..8],
        };
        let _counted = self.machines[to].0.on_icmp_error(self.now, &error);
    }
}
