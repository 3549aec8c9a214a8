//! smoltcp 0.14 on a simulated line.

use std::collections::VecDeque;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

pub(crate) use smoltcp::socket::tcp::CongestionControl;

use super::line::Path;
use super::transfer::{self, End};
use super::{BUFFER, SPAN};

/// Bytes that arrive at the application within [`SPAN`].
pub(crate) fn delivered(control: CongestionControl, path: Path, seed: u64) -> u64 {
    let mut sender = Host::new(1, control, seed);
    let mut receiver = Host::new(2, control, seed);
    receiver.socket().listen(80).expect("the socket is closed");
    let Host { interface, sockets, handle, .. } = &mut sender;
    let socket: &mut tcp::Socket<'_> = sockets.get_mut(*handle);
    socket.connect(interface.context(), (IpAddress::v4(10, 0, 0, 2), 80), 1024).expect("the socket is closed");
    sender.writes = true;
    transfer::run(&mut sender, &mut receiver, path, seed, SPAN.as_nanos() as u64);
    receiver.delivered
}

struct Host {
    interface: Interface,
    device: Wire,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    writes: bool,
    buffer: Vec<u8>,
    delivered: u64,
}

impl Host {
    fn new(last: u8, control: CongestionControl, seed: u64) -> Self {
        let mut device = Wire::default();
        let mut config = Config::new(EthernetAddress([2, 0, 0, 0, 0, last]).into());
        config.random_seed = seed * 2 + u64::from(last);
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, last), 24)).expect("there is room for one address");
        });
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_congestion_control(control);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Self { interface, device, sockets, handle, writes: false, buffer: vec![0x5a; 64 * 1024], delivered: 0 }
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

fn instant(nanos: u64) -> Instant {
    Instant::from_micros((nanos / 1_000) as i64)
}

impl End for Host {
    fn receive(&mut self, now: u64, frame: &[u8]) {
        self.device.arrived.push_back(frame.to_vec());
        self.interface.poll(instant(now), &mut self.device, &mut self.sockets);
    }

    fn poll(&mut self, now: u64, out: &mut dyn FnMut(Vec<u8>, usize)) {
        let Self { sockets, handle, writes, buffer, delivered, .. } = self;
        let socket: &mut tcp::Socket<'_> = sockets.get_mut(*handle);
        while *writes && socket.can_send() && socket.send_slice(buffer).is_ok_and(|count| count > 0) {}
        while !*writes && socket.can_recv() {
            *delivered += socket.recv_slice(buffer).expect("there is something") as u64;
        }
        self.interface.poll(instant(now), &mut self.device, &mut self.sockets);
        for frame in self.device.sent.drain(..) {
            let len = frame.len();
            out(frame, len);
        }
    }

    fn next(&mut self, now: u64) -> Option<u64> {
        let at = self.interface.poll_at(instant(now), &self.sockets)?;
        Some(at.total_micros().unsigned_abs() * 1_000)
    }
}

/// A device that takes everything.
#[derive(Default)]
struct Wire {
    arrived: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

struct Rx(Vec<u8>);
struct Tx<'a>(&'a mut Vec<Vec<u8>>);

impl RxToken for Rx {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Tx<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push(frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Rx;
    type TxToken<'a> = Tx<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Rx, Tx<'_>)> {
        let frame = self.arrived.pop_front()?;
        Some((Rx(frame), Tx(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Tx<'_>> {
        Some(Tx(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}
