//! A host to send to, packets to send, and links that keep what they are given.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part, as if of a crate")]

use core::net::{IpAddr, Ipv4Addr};

use mirage_clock::Instant;
use mirage_ipv4::{Block, Config, Discard, Ipv4, Storage};
use mirage_net::{Capabilities, FrameWriter, ReceivedChecksum, SendError};
use mirage_protocols::{Cast, HopPacket, InterfaceId, Ipv4Cidr, Neighbours};

pub const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const FIRST: InterfaceId = InterfaceId(0);
pub const SECOND: InterfaceId = InterfaceId(1);
pub const UDP: u8 = 17;
pub const TCP: u8 = 6;
pub const ICMP: u8 = 1;

/// A layer without addresses.
pub fn bare(config: Config, blocks: usize, assembly: usize, fragments_out: usize) -> Ipv4<'static> {
    let storage = Storage {
        addresses: vec![None; 4].leak().into(),
        routes: vec![None; 4].leak().into(),
        groups: vec![None; 2].leak().into(),
        reassembly: vec![Block::EMPTY; blocks].leak().into(),
        assembly: vec![0xee; assembly].leak().into(),
        fragments_out: vec![0xee; fragments_out].leak().into(),
    };
    Ipv4::new(config, storage, *b"a secret of ours")
}

/// A host at 10.0.0.2/24.
pub fn host_with(config: Config, blocks: usize, assembly: usize) -> Ipv4<'static> {
    let mut ipv4 = bare(config, blocks, assembly, 65_535);
    ipv4.add_address(FIRST, cidr("10.0.0.2/24")).unwrap();
    ipv4
}

pub fn host() -> Ipv4<'static> {
    host_with(Config::default(), 256, 65_535)
}

pub fn cidr(text: &str) -> Ipv4Cidr {
    text.parse().unwrap()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn secs(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// A packet to be put on the wire.
#[derive(Clone, Debug)]
pub struct Raw {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub id: u16,
    /// In bytes.
    pub offset: usize,
    pub more: bool,
    pub ttl: u8,
    pub protocol: u8,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            source: PEER,
            destination: US,
            id: 7,
            offset: 0,
            more: false,
            ttl: 64,
            protocol: UDP,
            options: vec![],
            payload: b"payload!".to_vec(),
        }
    }
}

impl Raw {
    pub fn bytes(&self) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let mut bytes = vec![0x40 | (header_len / 4) as u8, 0];
        bytes.extend(((header_len + self.payload.len()) as u16).to_be_bytes());
        bytes.extend(self.id.to_be_bytes());
        bytes.extend((u16::from(self.more) << 13 | (self.offset / 8) as u16).to_be_bytes());
        bytes.extend([self.ttl, self.protocol, 0, 0]);
        bytes.extend(self.source.octets());
        bytes.extend(self.destination.octets());
        bytes.extend(&self.options);
        bytes.extend(&self.payload);
        sealed(bytes)
    }
}

/// The packet with the right header checksum.
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes[10..12].fill(0);
    let header_len = usize::from(bytes[0] & 15) * 4;
    let sum = !ones_sum(&bytes[..header_len.clamp(20, bytes.len())]);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes
}

pub fn ones_sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Bytes of which no two neighbourhoods look alike.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ (at / 251) as u8).collect()
}

/// The payload cut into pieces that end at each of `cuts`.
pub fn cut(whole: &Raw, cuts: &[usize]) -> Vec<Raw> {
    let mut pieces = vec![];
    let mut start = 0;
    for end in cuts.iter().copied().chain([whole.payload.len()]) {
        let payload = whole.payload[start..end].to_vec();
        pieces.push(Raw { offset: start, more: end < whole.payload.len(), payload, ..whole.clone() });
        start = end;
    }
    pieces
}

/// The payload cut as for an MTU.
pub fn cut_for_mtu(whole: &Raw, mtu: usize) -> Vec<Raw> {
    let piece = (mtu - 20) / 8 * 8;
    cut(whole, &(1..whole.payload.len().div_ceil(piece)).map(|n| n * piece).collect::<Vec<_>>())
}

/// Gives a packet to the layer; the payload that came up.
pub fn give_at(ipv4: &mut Ipv4<'_>, now: Instant, raw: &Raw) -> Result<Option<Vec<u8>>, Discard> {
    give_bytes(ipv4, now, &raw.bytes())
}

pub fn give(ipv4: &mut Ipv4<'_>, raw: &Raw) -> Result<Option<Vec<u8>>, Discard> {
    give_at(ipv4, secs(1), raw)
}

pub fn give_bytes(ipv4: &mut Ipv4<'_>, now: Instant, bytes: &[u8]) -> Result<Option<Vec<u8>>, Discard> {
    let incoming = ipv4.input(now, FIRST, Cast::Unicast, bytes, ReceivedChecksum::Unchecked, None)?;
    Ok(incoming.map(|incoming| incoming.received.payload.to_vec()))
}

/// Gives a packet whose frame went to many.
pub fn give_broadcast(ipv4: &mut Ipv4<'_>, raw: &Raw) -> Result<Cast, Discard> {
    let bytes = raw.bytes();
    let incoming = ipv4.input(secs(1), FIRST, Cast::Broadcast, &bytes, ReceivedChecksum::Unchecked, None)?;
    Ok(incoming.expect("it is no fragment").received.cast)
}

/// Gives fragments of which none but the last may complete the datagram.
pub fn give_all(ipv4: &mut Ipv4<'_>, pieces: &[Raw]) -> Result<Option<Vec<u8>>, Discard> {
    let (last, first) = pieces.split_last().expect("at least one");
    for piece in first {
        assert_eq!(give(ipv4, piece)?, None, "whole before all came");
    }
    give(ipv4, last)
}

/// All orders of `0..n`.
pub fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(n - 1);
    shorter.iter().flat_map(|order| (0..n).map(move |at| [&order[..at], &[n - 1], &order[at..]].concat())).collect()
}

/// Links that keep what they are given.
#[derive(Debug)]
pub struct Links {
    pub mtu: usize,
    /// How many packets they take before they are full.
    pub room: usize,
    /// What they answer instead of taking a packet, once `room` is used up.
    pub refusal: SendError,
    pub capabilities: Capabilities,
    pub sent: Vec<(InterfaceId, HopPacket, Vec<u8>)>,
}

impl Links {
    pub fn new(mtu: usize) -> Self {
        let capabilities = Capabilities::default();
        Self { mtu, room: usize::MAX, refusal: SendError::Full, capabilities, sent: vec![] }
    }

    /// The bytes of the packets sent so far, which are forgotten.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        self.sent.drain(..).map(|(_, _, bytes)| bytes).collect()
    }
}

impl Neighbours for Links {
    fn mtu(&self, _: InterfaceId) -> usize {
        self.mtu
    }
    fn capabilities(&self, _: InterfaceId) -> Capabilities {
        self.capabilities
    }
    fn send(
        &mut self,
        interface: InterfaceId,
        packet: HopPacket,
        fill: impl FnOnce(&mut FrameWriter<'_>),
    ) -> Result<(), SendError> {
        assert!(packet.len <= self.mtu || packet.segment_size.is_some(), "longer than the MTU");
        if self.room == 0 {
            return Err(self.refusal);
        }
        self.room -= 1;
        // A link header comes first, as in a real device.
        let mut buffer = vec![0xdd; 14 + packet.len];
        let mut writer = FrameWriter::new(&mut buffer);
        writer.put(&[0xcc; 14]);
        fill(&mut writer);
        assert!(!writer.overflowed(), "more was written than announced");
        let bytes = writer.finish()[14..].to_vec();
        assert_eq!(bytes.len(), packet.len, "another length than announced");
        self.sent.push((interface, packet, bytes));
        Ok(())
    }
}
