//! An IP layer that keeps what it is given.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use mirage_net::{Capabilities, FrameWriter, SendError};

use crate::{Ip, Packet};

/// An IP layer for tests: it keeps what it is given, and each of its answers is a field.
///
/// The buffer that it lends is full of rubbish, and it panics when `fill` writes another number of bytes than was
/// announced, or when a checksum is left for a device that cannot complete it.
///
/// ```
/// use mirage_protocols::{Ip, Packet, Protocol, testing::FakeIp};
///
/// let mut ip = FakeIp::new([10, 0, 0, 1]);
/// let to = [10, 0, 0, 2].into();
/// let packet = Packet::new(ip.source(to).unwrap(), to, Protocol::UDP, 3);
/// ip.send(packet, |out| out.put(b"abc")).unwrap();
/// assert_eq!(ip.sent.pop_front().unwrap().bytes, b"abc");
/// ```
#[derive(Clone, Debug)]
pub struct FakeIp {
    /// What was sent, oldest first.
    pub sent: VecDeque<SentPacket>,
    /// Our address towards everybody; `None` for no route.
    pub source: Option<IpAddr>,
    /// Largest packet without the IP header, in bytes.
    pub mtu: usize,
    /// What is taken over.
    pub capabilities: Capabilities,
    /// Each send takes the first of these and fails with it, without a call of `fill`.
    pub next_errors: VecDeque<SendError>,
    /// What every send to one of these addresses fails with.
    pub unreachable: Vec<(IpAddr, SendError)>,
    /// Most packets in `sent`; beyond it sends fail with [`SendError::Full`].
    pub capacity: usize,
}

/// A packet that a [`FakeIp`] was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentPacket {
    /// The order.
    pub packet: Packet,
    /// What was written behind the IP header.
    pub bytes: Vec<u8>,
}

impl FakeIp {
    /// The host `address` on an Ethernet: packets of 1480 bytes, no offloads, no end of buffers.
    pub fn new(address: impl Into<Ipv4Addr>) -> Self {
        Self {
            sent: VecDeque::new(),
            source: Some(IpAddr::V4(address.into())),
            mtu: 1480,
            capabilities: Capabilities::default(),
            next_errors: VecDeque::new(),
            unreachable: Vec::new(),
            capacity: usize::MAX,
        }
    }

    fn refusal(&mut self, packet: &Packet) -> Result<(), SendError> {
        if let Some(error) = self.next_errors.pop_front() {
            return Err(error);
        }
        if let Some((_, error)) = self.unreachable.iter().find(|(address, _)| *address == packet.destination) {
            return Err(*error);
        }
        if self.sent.len() >= self.capacity {
            return Err(SendError::Full);
        }
        let (most, refusal) = match packet.segment_size {
            Some(_) => (self.capabilities.max_large_frame, SendError::TooLong),
            None if packet.dont_fragment => (self.mtu, SendError::WouldFragment { mtu: self.mtu + 20 }),
            None => (65_515, SendError::TooLong),
        };
        if packet.len > most { Err(refusal) } else { Ok(()) }
    }
}

impl Ip for FakeIp {
    fn source(&self, to: IpAddr) -> Option<IpAddr> {
        self.source.filter(|source| source.is_ipv4() == to.is_ipv4())
    }

    fn mtu(&self, _: IpAddr) -> usize {
        self.mtu
    }

    fn capabilities(&self, _: IpAddr) -> Capabilities {
        self.capabilities
    }

    fn send(&mut self, packet: Packet, fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        self.refusal(&packet)?;
        if packet.checksum.is_some() {
            assert!(!self.capabilities.checksum.is_empty(), "a checksum is left for a device that completes none");
            let whole = packet.segment_size.is_some() || packet.len <= self.mtu;
            assert!(whole, "a packet whose checksum is left for the device is never fragmented");
        }
        let bytes = super::filled(packet.len, fill)?;
        self.sent.push_back(SentPacket { packet, bytes });
        Ok(())
    }

    /// As [`send`](Ip::send) would, one after the other.
    fn send_run(
        &mut self,
        packet: &Packet,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> Option<(usize, Result<(), SendError>)> {
        let mut sent = 0;
        for fill in fills {
            let mut fill = Some(fill);
            let result = self.send(*packet, |writer| {
                if let Some(fill) = fill.take() {
                    fill(writer);
                }
            });
            if result.is_err() {
                return Some((sent, result));
            }
            sent += 1;
        }
        Some((sent, Ok(())))
    }
}
