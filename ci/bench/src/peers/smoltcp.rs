//! smoltcp 0.14 on a cable that lends its slots, with NewReno-class congestion control (`Reno`).

use std::cell::RefCell;
use std::rc::Rc;

use smoltcp::iface::{Config, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use super::{Cable, FRAMES, Offload, Pair, Who, World};

/// One direction of the cable.
struct Ring {
    slots: Vec<Vec<u8>>,
    lengths: Vec<usize>,
    head: usize,
    count: usize,
}

struct End {
    receive: Rc<RefCell<Ring>>,
    transmit: Rc<RefCell<Ring>>,
    cable: Cable,
}

struct Rx(Rc<RefCell<Ring>>);
struct Tx(Rc<RefCell<Ring>>);

impl RxToken for Rx {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let mut ring = self.0.borrow_mut();
        let head = ring.head;
        let result = f(&ring.slots[head][..ring.lengths[head]]);
        ring.head = (head + 1) % FRAMES;
        ring.count -= 1;
        result
    }
}

impl TxToken for Tx {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut ring = self.0.borrow_mut();
        let tail = (ring.head + ring.count) % FRAMES;
        let result = f(&mut ring.slots[tail][..len]);
        ring.lengths[tail] = len;
        ring.count += 1;
        result
    }
}

impl Device for End {
    type RxToken<'a> = Rx;
    type TxToken<'a> = Tx;

    fn receive(&mut self, _: Instant) -> Option<(Rx, Tx)> {
        let ready = self.receive.borrow().count > 0 && self.transmit.borrow().count < FRAMES;
        ready.then(|| (Rx(self.receive.clone()), Tx(self.transmit.clone())))
    }

    fn transmit(&mut self, _: Instant) -> Option<Tx> {
        (self.transmit.borrow().count < FRAMES).then(|| Tx(self.transmit.clone()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.cable.mtu + 14;
        if self.cable.offload != Offload::Nothing {
            capabilities.checksum = ChecksumCapabilities::ignored();
        }
        capabilities
    }
}

struct Host {
    interface: Interface,
    device: End,
    sockets: SocketSet<'static>,
    connections: Vec<SocketHandle>,
    udp: SocketHandle,
}

/// Two smoltcp interfaces.
pub(crate) struct Smoltcp {
    client: Host,
    server: Host,
    now: i64,
    next: usize,
    port: u16,
}

impl Host {
    fn new(
        last: u8,
        receive: Rc<RefCell<Ring>>,
        transmit: Rc<RefCell<Ring>>,
        cable: Cable,
        n: usize,
        size: usize,
    ) -> Self {
        let mut device = End { receive, transmit, cable };
        let mut config = Config::new(EthernetAddress([2, 0, 0, 0, 0, last]).into());
        config.random_seed = u64::from(last);
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, last), 24)).expect("there is room for one address");
        });
        let mut sockets = SocketSet::new(Vec::new());
        let connections = (0..n)
            .map(|_| {
                let buffer = || tcp::SocketBuffer::new(vec![0; size]);
                let mut socket = tcp::Socket::new(buffer(), buffer());
                socket.set_congestion_control(tcp::CongestionControl::Reno);
                sockets.add(socket)
            })
            .collect();
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 64], vec![0; 64 * 64]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(7).expect("the port is free");
        let udp = sockets.add(socket);
        Self { interface, device, sockets, connections, udp }
    }

    fn poll(&mut self, now: i64) {
        let now = Instant::from_micros(now);
        self.interface.poll(now, &mut self.device, &mut self.sockets);
        std::hint::black_box(self.interface.poll_at(now, &self.sockets));
    }

    fn take_in(&mut self, now: i64) {
        let now = Instant::from_micros(now);
        self.interface.poll_maintenance(now);
        while self.interface.poll_ingress_single(now, &mut self.device, &mut self.sockets)
            != PollIngressSingleResult::None
        {}
    }

    fn send_out(&mut self, now: i64) {
        let now = Instant::from_micros(now);
        while self.interface.poll_egress(now, &mut self.device, &mut self.sockets) != PollResult::None {}
        std::hint::black_box(self.interface.poll_at(now, &self.sockets));
    }

    fn socket(&mut self, pair: Pair) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.connections[pair.0])
    }
}

impl Smoltcp {
    fn host(&mut self, who: Who) -> &mut Host {
        match who {
            Who::Client => &mut self.client,
            Who::Server => &mut self.server,
        }
    }
}

impl World for Smoltcp {
    fn new(cable: Cable, connections: usize, buffer: usize) -> Self {
        let ring = || {
            Rc::new(RefCell::new(Ring {
                slots: vec![vec![0; cable.mtu + 14]; FRAMES],
                lengths: vec![0; FRAMES],
                head: 0,
                count: 0,
            }))
        };
        let (there, back) = (ring(), ring());
        let client = Host::new(1, back.clone(), there.clone(), cable, connections, buffer);
        let server = Host::new(2, there, back, cable, connections, buffer);
        Self { client, server, now: 0, next: 0, port: 1024 }
    }

    fn connect(&mut self) -> Pair {
        let pair = Pair(self.next);
        self.port = if self.port == u16::MAX { 1024 } else { self.port + 1 };
        self.server.socket(pair).listen(80).expect("the socket is closed");
        let handle = self.client.connections[pair.0];
        let socket: &mut tcp::Socket<'_> = self.client.sockets.get_mut(handle);
        socket
            .connect(self.client.interface.context(), (IpAddress::v4(10, 0, 0, 2), 80), self.port)
            .expect("the socket is closed");
        for _ in 0..1000 {
            self.poll();
            if self.server.socket(pair).may_send() && self.client.socket(pair).may_send() {
                self.next += 1;
                return pair;
            }
        }
        panic!("smoltcp did not connect");
    }

    fn close(&mut self, pair: Pair) {
        self.server.socket(pair).close();
        self.poll();
        self.client.socket(pair).close();
        for _ in 0..1000 {
            self.poll();
            if !self.client.socket(pair).is_open() {
                break;
            }
        }
        // Its TIME-WAIT holds the socket: cut it short so that the socket can be used again.
        self.server.socket(pair).abort();
        self.next -= 1;
    }

    fn poll_end(&mut self, who: Who) {
        self.now += 5;
        let now = self.now;
        self.host(who).poll(now);
    }

    fn take_in(&mut self, who: Who) {
        self.now += 5;
        let now = self.now;
        self.host(who).take_in(now);
    }

    fn send_out(&mut self, who: Who) {
        let now = self.now;
        self.host(who).send_out(now);
    }

    fn client_send(&mut self, pair: Pair, data: &[u8]) -> usize {
        self.client.socket(pair).send_slice(data).unwrap_or(0)
    }

    fn client_receive(&mut self, pair: Pair, buffer: &mut [u8]) -> usize {
        self.client.socket(pair).recv_slice(buffer).unwrap_or(0)
    }

    fn server_send(&mut self, pair: Pair, data: &[u8]) -> usize {
        self.server.socket(pair).send_slice(data).unwrap_or(0)
    }

    fn server_receive(&mut self, pair: Pair, buffer: &mut [u8]) -> usize {
        self.server.socket(pair).recv_slice(buffer).unwrap_or(0)
    }

    fn client_write_in_place(&mut self, pair: Pair, most: usize) -> usize {
        let mut written = 0;
        // Twice where the ring wraps around.
        while written < most {
            let left = most - written;
            let sent = self.client.socket(pair).send(|space| {
                let count = space.len().min(left);
                space[..count].fill(0);
                (count, count)
            });
            match sent {
                Ok(count) if count > 0 => written += count,
                _ => break,
            }
        }
        written
    }

    fn server_read_in_place(&mut self, pair: Pair) -> usize {
        let mut read = 0;
        loop {
            match self.server.socket(pair).recv(|bytes| (bytes.len(), bytes.len())) {
                Ok(count) if count > 0 => read += count,
                _ => return read,
            }
        }
    }

    fn udp_echo(&mut self, batch: usize) {
        let payload = [0x5a; 64];
        let mut buffer = [0; 64];
        for _ in 0..batch {
            let socket: &mut udp::Socket<'_> = self.client.sockets.get_mut(self.client.udp);
            socket.send_slice(&payload, (IpAddress::v4(10, 0, 0, 2), 7)).expect("the queue has room for a batch");
        }
        let mut answered = 0;
        for _ in 0..1000 {
            self.poll();
            let socket: &mut udp::Socket<'_> = self.server.sockets.get_mut(self.server.udp);
            while let Ok((len, from)) = socket.recv_slice(&mut buffer) {
                socket.send_slice(&buffer[..len], from.endpoint).expect("the queue has room for a batch");
            }
            self.poll();
            let socket: &mut udp::Socket<'_> = self.client.sockets.get_mut(self.client.udp);
            while socket.recv_slice(&mut buffer).is_ok() {
                answered += 1;
            }
            if answered == batch {
                return;
            }
        }
        panic!("smoltcp answered {answered} of {batch}");
    }

    fn idle_bytes() -> usize {
        // Its slot and two fixed buffers of the size used in the bulk runs.
        size_of::<SocketStorage<'_>>() + 2 * 64 * 1024
    }
}
