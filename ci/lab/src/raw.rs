//! A device without a stack: frames by hand.

use core::cell::RefCell;
use core::future::poll_fn;
use core::net::Ipv4Addr;

use mirage_checksum::checksum;
use mirage_net::{MacAddress, Net, Outgoing, Receive, Transmit};
use mirage_vnetif::Node;

/// A node whose frames the test reads and writes itself. It answers ARP requests for addresses whose last number is 200
/// or more.
pub struct Raw {
    node: RefCell<Node>,
    /// Its address.
    pub mac: MacAddress,
}

/// A received IPv4 packet without options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Who shall have it.
    pub destination: Ipv4Addr,
    /// What is in it.
    pub protocol: u8,
    /// What the fragments of one packet have in common.
    pub identification: u16,
    /// In bytes.
    pub offset: usize,
    /// Whether it is a fragment that others follow.
    pub more: bool,
    /// What is behind the header.
    pub payload: Vec<u8>,
}

/// A TCP segment without options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The sender's port.
    pub from: u16,
    /// The receiver's port.
    pub to: u16,
    /// The sequence number of its first byte.
    pub seq: u32,
    /// The sequence number that is expected next.
    pub ack: u32,
    /// [`FIN`] and its like.
    pub flags: u8,
    /// What is behind the header.
    pub payload: Vec<u8>,
}

/// The sender has no more to say.
pub const FIN: u8 = 1;
/// The sequence numbers begin here.
pub const SYN: u8 = 2;
/// The connection is broken off.
pub const RST: u8 = 4;
/// The acknowledgement is valid.
pub const ACK: u8 = 16;

/// IPv4's number of ICMP.
pub const ICMP: u8 = 1;
/// IPv4's number of TCP.
pub const TCP: u8 = 6;
/// IPv4's number of UDP.
pub const UDP: u8 = 17;

impl Raw {
    /// A device without a stack.
    pub fn new(mut node: Node) -> Self {
        let mac = node.split().1.mac();
        Self { node: RefCell::new(node), mac }
    }

    /// The next frame.
    pub async fn frame(&self) -> Vec<u8> {
        let take = |frame: mirage_net::Frame<'_>| frame.bytes.to_vec();
        let frame = poll_fn(|cx| self.node.borrow_mut().split().0.poll_frame(cx, take)).await;
        frame.expect("the network is there")
    }

    /// The next IPv4 packet; ARP requests that come before it are answered.
    pub async fn packet(&self) -> Packet {
        loop {
            let frame = self.frame().await;
            match frame[12..14] {
                [8, 6] if frame[20..22] == [0, 1] && frame[41] >= 200 => self.answer_arp(&frame),
                [8, 0] => return Packet::parse(&frame[14..]),
                _ => {}
            }
        }
    }

    /// The next TCP segment, and who sent it.
    pub async fn segment(&self) -> (Packet, Segment) {
        loop {
            let packet = self.packet().await;
            if packet.protocol == TCP {
                let segment = Segment::parse(&packet.payload);
                return (packet, segment);
            }
        }
    }

    /// Sends a frame.
    pub fn send(&self, frame: &[u8]) {
        let mut node = self.node.borrow_mut();
        node.split().1.send(Outgoing::new(frame.len()), |out| out.put(frame)).expect("a node takes all frames");
    }

    /// Sends an IPv4 packet to the device with address `to`.
    pub fn send_ipv4(&self, to: MacAddress, packet: &Packet) {
        self.send(&self.ethernet(to, [8, 0], &packet.bytes()));
    }

    /// Sends an IPv4 packet in fragments with at most `most` bytes of payload each.
    pub fn send_fragments(&self, to: MacAddress, packet: &Packet, most: usize) {
        for (number, piece) in packet.payload.chunks(most).enumerate() {
            let offset = number * most;
            let more = offset + piece.len() < packet.payload.len();
            self.send_ipv4(to, &Packet { offset, more, payload: piece.to_vec(), ..packet.clone() });
        }
    }

    /// Sends a TCP segment to the device with address `to`.
    pub fn send_tcp(&self, to: MacAddress, source: Ipv4Addr, destination: Ipv4Addr, segment: &Segment) {
        let payload = segment.bytes(source, destination);
        self.send_ipv4(to, &Packet { payload, ..Packet::new(source, destination, TCP) });
    }

    fn answer_arp(&self, request: &[u8]) {
        let (asker, asked) = (&request[22..32], &request[38..42]);
        let mut reply = vec![0, 1, 8, 0, 6, 4, 0, 2];
        reply.extend_from_slice(&self.mac.0);
        reply.extend_from_slice(asked);
        reply.extend_from_slice(asker);
        let to = MacAddress(*request[6..].first_chunk().expect("a whole frame"));
        self.send(&self.ethernet(to, [8, 6], &reply));
    }

    fn ethernet(&self, to: MacAddress, kind: [u8; 2], payload: &[u8]) -> Vec<u8> {
        [&to.0[..], &self.mac.0, &kind, payload].concat()
    }
}

impl Packet {
    /// A whole packet with nothing in it.
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8) -> Self {
        Self { source, destination, protocol, identification: 1, offset: 0, more: false, payload: Vec::new() }
    }

    fn bytes(&self) -> Vec<u8> {
        let len = (20 + self.payload.len()) as u16;
        let fragment = (self.offset / 8) as u16 | if self.more { 0x2000 } else { 0 };
        let mut header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, self.protocol, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header[2..4].copy_from_slice(&len.to_be_bytes());
        header[4..6].copy_from_slice(&self.identification.to_be_bytes());
        header[6..8].copy_from_slice(&fragment.to_be_bytes());
        header[12..16].copy_from_slice(&self.source.octets());
        header[16..20].copy_from_slice(&self.destination.octets());
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [&header[..], &self.payload].concat()
    }

    fn parse(bytes: &[u8]) -> Self {
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let address = |at: usize| Ipv4Addr::from(*bytes[at..].first_chunk::<4>().expect("a whole header"));
        assert_eq!(bytes[0], 0x45, "a header without options");
        Self {
            source: address(12),
            destination: address(16),
            protocol: bytes[9],
            identification: word(4),
            offset: usize::from(word(6) & 0x1fff) * 8,
            more: word(6) & 0x2000 != 0,
            payload: bytes[20..usize::from(word(2))].to_vec(),
        }
    }
}

impl Segment {
    /// The segment as it is sent from `source` to `destination`.
    pub fn bytes(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.from.to_be_bytes());
        bytes.extend_from_slice(&self.to.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.ack.to_be_bytes());
        bytes.extend_from_slice(&[5 << 4, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend_from_slice(&self.payload);
        let len = (bytes.len() as u16).to_be_bytes();
        let pseudo = [&source.octets()[..], &destination.octets(), &[0, TCP], &len, &bytes].concat();
        let sum = checksum(&pseudo);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Self {
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| u32::from_be_bytes(*bytes[at..].first_chunk().expect("a whole header"));
        let payload = bytes[usize::from(bytes[12] >> 4) * 4..].to_vec();
        Self { from: word(0), to: word(2), seq: long(4), ack: long(8), flags: bytes[13], payload }
    }

    /// The sequence number after it.
    pub fn end(&self) -> u32 {
        let controls = u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0);
        self.seq.wrapping_add(self.payload.len() as u32).wrapping_add(controls)
    }
}
