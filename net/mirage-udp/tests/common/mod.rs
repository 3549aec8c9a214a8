//! A machine with storage of its own, and datagrams for it.

#![allow(dead_code, reason = "each test file uses some of it")]

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_protocols::Received;
use mirage_protocols::testing::FakeIp;
use mirage_udp::{
    Block, Bucket, Config, Datagram, Discard, Error, Local, PortChoice, SocketId, SocketSlot, Source, Storage, Udp,
    WakerSlot,
};

pub(crate) const US: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
pub(crate) const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 3));
pub(crate) const NOW: Instant = Instant::from_secs(1);

/// Sizes of a machine.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) sockets: usize,
    pub(crate) blocks: usize,
    pub(crate) config: Config,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { sockets: 8, blocks: 1024, config: Config::default() }
    }
}

pub(crate) fn udp() -> Udp<'static> {
    udp_of(Sizes::default())
}

pub(crate) fn udp_of(sizes: Sizes) -> Udp<'static> {
    let sockets: Vec<_> = (0..sizes.sockets).map(|_| SocketSlot::EMPTY).collect();
    let wakers: Vec<_> = (0..16).map(|_| WakerSlot::EMPTY).collect();
    let storage = Storage {
        sockets: sockets.leak().into(),
        buckets: vec![Bucket::EMPTY; sizes.sockets].leak().into(),
        blocks: vec![Block::EMPTY; sizes.blocks].leak().into(),
        wakers: wakers.leak().into(),
    };
    Udp::new(sizes.config, storage, [3; 16])
}

pub(crate) fn ip() -> FakeIp {
    FakeIp::new([10, 0, 0, 1])
}

pub(crate) fn at(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}

pub(crate) fn exactly(port: u16) -> Local {
    Local { address: None, port: PortChoice::Exactly(NonZeroU16::new(port).unwrap()) }
}

pub(crate) fn ephemeral() -> Local {
    Local { address: None, port: PortChoice::Ephemeral }
}

/// A datagram with a right checksum.
pub(crate) fn datagram(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len();
    let mut bytes = Vec::new();
    bytes.extend(source.port().to_be_bytes());
    bytes.extend(destination.port().to_be_bytes());
    bytes.extend((len as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    let sum = Sum::ZERO.pseudo_header(source.ip(), destination.ip(), 17, len as u32).add_bytes(&bytes);
    bytes[6..8].copy_from_slice(&sum.finish_udp().to_be_bytes());
    bytes
}

pub(crate) fn arrive(
    udp: &mut Udp<'_>,
    source: SocketAddr,
    destination: SocketAddr,
    payload: &[u8],
) -> Result<(), Discard> {
    let bytes = datagram(source, destination, payload);
    udp.input(NOW, &Received::new(source.ip(), destination.ip(), &bytes))
}

/// Reads what is there: the datagram and its bytes.
pub(crate) fn read(udp: &mut Udp<'_>, id: SocketId) -> Poll<Result<(Datagram, Vec<u8>), Error>> {
    let mut buffer = vec![0; 65_536];
    udp.poll_recv(id, &mut Context::from_waker(Waker::noop()), &mut buffer).map_ok(|datagram| {
        buffer.truncate(datagram.len);
        (datagram, buffer)
    })
}

pub(crate) fn write(udp: &mut Udp<'_>, id: SocketId, payload: &[u8], remote: SocketAddr) -> Poll<Result<(), Error>> {
    udp.poll_send(id, &mut Context::from_waker(Waker::noop()), payload, Source::Own, remote)
}
