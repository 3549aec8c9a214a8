//! Frames, put together and taken apart by other code than the host's.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll};

use mirage_checksum::{checksum, verify};
use mirage_clock::Instant;
use mirage_net::{Capabilities, Disconnected, FrameWriter, Link, MacAddress, Outgoing, SendError, Transmit};

pub const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
pub const OUR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub const EVERYBODY: [u8; 6] = [0xff; 6];

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// A device that keeps what is sent.
#[derive(Default)]
pub struct Wire {
    pub now: Instant,
    pub sent: Vec<(Instant, Vec<u8>)>,
    /// It takes nothing.
    pub full: bool,
}

impl Transmit for Wire {
    fn mac(&self) -> MacAddress {
        MacAddress(OUR_MAC)
    }

    fn mtu(&self) -> usize {
        1500
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn link(&self) -> Link {
        Link::Up
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        if self.full { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if self.full {
            return Err(SendError::Full);
        }
        let mut buffer = vec![0; frame.len];
        let written = FrameWriter::fill(&mut buffer, fill).expect("a frame is as long as it says").to_vec();
        assert_eq!(written.len(), frame.len, "a frame is as long as it says");
        self.sent.push((self.now, written));
        Ok(())
    }

    fn flush(&mut self) {}
}

/// A TCP segment.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
    pub flags: u8,
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, flags, seq, ack, window, options, payload } = self;
        write!(f, "{from} > {to} flags {flags:#x} {seq}+{} ack {ack} win {window} {options:?}", payload.len())
    }
}

impl Segment {
    pub fn frame(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.from.port().to_be_bytes());
        bytes.extend(self.to.port().to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        bytes.extend([(5 + self.options.len() as u8 / 4) << 4, self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(&self.options);
        bytes.extend(&self.payload);
        let sum = transport_sum(*self.from.ip(), *self.to.ip(), 6, &bytes);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        ipv4(*self.from.ip(), *self.to.ip(), 6, &bytes)
    }

    /// The segment in a frame, if there is one. It has to be right in every respect.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let (source, destination, protocol, payload) = parse_ipv4(frame)?;
        if protocol != 6 {
            return None;
        }
        assert_eq!(transport_sum(source, destination, 6, payload), 0, "the checksum is right");
        let long = |at: usize| u32::from_be_bytes(*payload[at..].first_chunk().expect("a whole header"));
        let word = |at: usize| u16::from_be_bytes(*payload[at..].first_chunk().expect("a whole header"));
        let header = usize::from(payload[12] >> 4) * 4;
        Some(Self {
            from: SocketAddrV4::new(source, word(0)),
            to: SocketAddrV4::new(destination, word(2)),
            flags: payload[13],
            seq: long(4),
            ack: long(8),
            window: word(14),
            options: payload[20..header].to_vec(),
            payload: payload[header..].to_vec(),
        })
    }
}

/// The checksum of a transport's packet.
pub fn transport_sum(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, bytes: &[u8]) -> u16 {
    let len = (bytes.len() as u16).to_be_bytes();
    checksum(&[&source.octets()[..], &destination.octets(), &[0, protocol], &len, bytes].concat())
}

/// The frame of a packet from the peer's device to ours.
pub fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = [0x45, 0, 0, 0, 0, 7, 0, 0, 64, protocol, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    header[12..16].copy_from_slice(&source.octets());
    header[16..].copy_from_slice(&destination.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    [&OUR_MAC[..], &PEER_MAC, &[8, 0], &header, payload].concat()
}

/// Writes the checksum of a frame's IPv4 header anew.
pub fn resum(frame: &mut [u8]) {
    let end = (14 + usize::from(frame[14] & 15) * 4).min(frame.len());
    frame[24..26].fill(0);
    let sum = checksum(&frame[14..end]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
}

/// Source, destination, protocol and payload of a packet from us, which has to be right in every respect.
pub fn parse_ipv4(frame: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr, u8, &[u8])> {
    if frame[12..14] != [8, 0] {
        return None;
    }
    assert_eq!(frame[6..12], OUR_MAC);
    let packet = &frame[14..];
    assert_eq!((packet[0], usize::from(u16::from_be_bytes([packet[2], packet[3]]))), (0x45, packet.len()));
    assert!(verify(&packet[..20]), "the header's checksum is right");
    assert_eq!(packet[6..8], [0x40, 0], "nothing may be fragmented");
    let address = |at: usize| Ipv4Addr::from(*packet[at..].first_chunk::<4>().expect("a whole header"));
    Some((address(12), address(16), packet[9], &packet[20..]))
}

/// An ARP packet from `sender` about `target`.
pub fn arp(operation: u8, sender: ([u8; 6], Ipv4Addr), target: ([u8; 6], Ipv4Addr)) -> Vec<u8> {
    let to = if operation == 1 { EVERYBODY } else { OUR_MAC };
    let mut frame = [&to[..], &sender.0, &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
    for (mac, address) in [sender, target] {
        frame.extend(mac);
        frame.extend(address.octets());
    }
    frame
}

/// A ping.
pub fn echo(payload: &[u8]) -> Vec<u8> {
    let mut message = [&[8, 0, 0, 0, 0x12, 0x34, 0, 1], payload].concat();
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// A datagram with its checksum.
pub fn datagram(from: SocketAddrV4, to: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    let mut bytes = [&from.port().to_be_bytes()[..], &to.port().to_be_bytes(), &len, &[0, 0], payload].concat();
    let sum = transport_sum(*from.ip(), *to.ip(), 17, &bytes);
    bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    ipv4(*from.ip(), *to.ip(), 17, &bytes)
}
