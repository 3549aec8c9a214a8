//! One station with ARP and a link that keeps what is sent.
#![allow(dead_code, unreachable_pub, reason = "each test file uses what it needs")]

use core::net::Ipv4Addr;

use mirage_arp::{Arp, Claim, Config, Discard, Entry, Storage};
use mirage_clock::{Duration, Instant};
use mirage_net::{MacAddress, SendError};
use mirage_protocols::testing::{FakeEthernet, SentFrame};
use mirage_protocols::{EtherType, HopPacket, NextHop};

pub const OURS: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
pub const PEER: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);
pub const OTHER: MacAddress = MacAddress([2, 0, 0, 0, 0, 3]);
pub const OUR_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const PEER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub const NOBODY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// How much memory ARP gets.
pub struct Sizes {
    pub entries: usize,
    pub pending: usize,
    pub bytes: usize,
    pub messages: usize,
    pub events: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { entries: 16, pending: 8, bytes: 4096, messages: 4, events: 8 }
    }
}

pub struct Station {
    pub arp: Arp<'static>,
    pub link: FakeEthernet,
    pub now: Instant,
}

/// A packet of ARP on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    pub to: MacAddress,
    pub operation: u16,
    pub sender: (MacAddress, Ipv4Addr),
    pub target: (MacAddress, Ipv4Addr),
}

pub fn request(target: Ipv4Addr) -> Wire {
    Wire { to: MacAddress::BROADCAST, operation: 1, sender: (OURS, OUR_IP), target: (MacAddress::UNSPECIFIED, target) }
}

pub fn packet(operation: u16, sender: (MacAddress, Ipv4Addr), target: (MacAddress, Ipv4Addr)) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4];
    bytes.extend(operation.to_be_bytes());
    bytes.extend(sender.0.octets());
    bytes.extend(sender.1.octets());
    bytes.extend(target.0.octets());
    bytes.extend(target.1.octets());
    bytes
}

fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    vec![value; count].leak()
}

impl Station {
    pub fn with(config: Config, sizes: Sizes) -> Self {
        let storage = Storage {
            entries: leak(Entry::EMPTY, sizes.entries).into(),
            addresses: leak(None, 3).into(),
            pending: leak(None, sizes.pending).into(),
            bytes: leak(0, sizes.bytes).into(),
            messages: leak(None, sizes.messages).into(),
            events: leak(None, sizes.events).into(),
        };
        let arp = Arp::new(config, storage, [7; 16]);
        Self { arp, link: FakeEthernet::new(OURS), now: Instant::from_secs(1000) }
    }

    /// A station whose address is announced already.
    pub fn settled_with(config: Config, sizes: Sizes) -> Self {
        let mut station = Self::with(config, sizes);
        station.arp.add_address(station.now, OUR_IP, Claim::AtOnce).unwrap();
        station.pass(Duration::from_secs(10));
        station.link.sent.clear();
        station
    }

    pub fn settled() -> Self {
        Self::settled_with(Config::new(OURS), Sizes::default())
    }

    /// Lets time pass, doing what is due when it is due.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        self.transmit();
        while let Some(next) = self.arp.poll_timeout().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            self.arp.handle_timeout(self.now);
            assert!(self.arp.poll_timeout().is_none_or(|next| next > self.now), "a timeout that does not pass");
            self.transmit();
        }
        self.now = end;
    }

    pub fn transmit(&mut self) {
        self.arp.poll_transmit(self.now, &mut self.link).unwrap();
        assert!(!self.arp.wants_transmit());
    }

    pub fn send(&mut self, to: Ipv4Addr, bytes: &[u8]) -> Result<(), SendError> {
        self.send_to(NextHop::Neighbour(to), bytes)
    }

    pub fn send_to(&mut self, to: NextHop, bytes: &[u8]) -> Result<(), SendError> {
        let packet = HopPacket { to, len: bytes.len(), checksum: None, segment_size: None };
        self.arp.send(self.now, packet, EtherType::IPV4, &mut self.link, |frame| frame.put(bytes))
    }

    pub fn input(&mut self, operation: u16, sender: (MacAddress, Ipv4Addr), target: Ipv4Addr) -> Result<(), Discard> {
        let bytes = packet(operation, sender, (MacAddress::UNSPECIFIED, target));
        self.arp.input(self.now, &bytes, sender.0)
    }

    /// The neighbour answers us.
    pub fn reply(&mut self, sender: (MacAddress, Ipv4Addr)) -> Result<(), Discard> {
        self.input(2, sender, OUR_IP)
    }

    /// Makes a neighbour known by asking it.
    pub fn meet(&mut self, mac: MacAddress, ip: Ipv4Addr) {
        self.send(ip, b"hello").unwrap();
        self.transmit();
        self.reply((mac, ip)).unwrap();
        self.transmit();
        self.link.sent.clear();
    }

    /// Takes all that was sent, which must be ARP.
    pub fn arp_sent(&mut self) -> Vec<Wire> {
        self.link.sent.drain(..).map(parse).collect()
    }

    /// Takes the IP packets that were sent and drops what else was.
    pub fn ip_sent(&mut self) -> Vec<(MacAddress, Vec<u8>)> {
        let sent = self.link.sent.drain(..).filter(|sent| sent.packet.ethertype == EtherType::IPV4);
        sent.map(|sent| (sent.packet.destination, sent.bytes)).collect()
    }
}

fn parse(sent: SentFrame) -> Wire {
    assert_eq!(sent.packet.ethertype, EtherType::ARP);
    let bytes = &sent.bytes;
    assert_eq!((bytes.len(), &bytes[..6]), (28, &[0, 1, 8, 0, 6, 4][..]));
    let mac = |at: usize| MacAddress(bytes[at..at + 6].try_into().unwrap());
    let ip = |at: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap());
    Wire {
        to: sent.packet.destination,
        operation: u16::from_be_bytes([bytes[6], bytes[7]]),
        sender: (mac(8), ip(14)),
        target: (mac(18), ip(24)),
    }
}
