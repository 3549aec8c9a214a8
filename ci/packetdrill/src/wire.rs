//! The IP layer below the machine: packets leave into a queue, each with its time.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use mirage_clock::Instant;
use mirage_ipv4::wire::{DONT_FRAGMENT, HEADER_LEN, Header, NO_OPTIONS};
use mirage_net::{Capabilities, FrameWriter, SendError};
use mirage_protocols::{Ip, Packet};
use zerocopy::IntoBytes as _;

/// A packet that left.
pub(crate) struct Sent {
    pub(crate) at: Instant,
    /// With its IP header.
    pub(crate) bytes: Vec<u8>,
}

/// A wire without a link layer. It never loses anything and is never full.
pub(crate) struct Wire {
    address: Ipv4Addr,
    /// Largest packet with its IP header, in bytes.
    mtu: usize,
    /// When what is sent now leaves.
    pub(crate) now: Instant,
    /// What left and nobody looked at yet, oldest first.
    pub(crate) sent: VecDeque<Sent>,
}

impl Wire {
    pub(crate) fn new(address: Ipv4Addr, mtu: usize) -> Self {
        Self { address, mtu, now: Instant::ZERO, sent: VecDeque::new() }
    }
}

impl Ip for Wire {
    fn source(&self, to: IpAddr) -> Option<IpAddr> {
        to.is_ipv4().then_some(IpAddr::V4(self.address))
    }

    fn mtu(&self, _: IpAddr) -> usize {
        self.mtu.saturating_sub(HEADER_LEN)
    }

    fn capabilities(&self, _: IpAddr) -> Capabilities {
        Capabilities::default()
    }

    fn send(&mut self, packet: Packet, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.source, packet.destination) else {
            return Err(SendError::NoRoute);
        };
        let total = HEADER_LEN + packet.len;
        if total > self.mtu {
            return Err(SendError::WouldFragment { mtu: self.mtu });
        }
        let mut header = Header {
            version_and_length: NO_OPTIONS,
            traffic_class: 0,
            total_length: (total as u16).into(),
            identification: 0.into(),
            flags_and_offset: if packet.dont_fragment { DONT_FRAGMENT } else { 0 }.into(),
            ttl: packet.ttl.unwrap_or(64),
            protocol: packet.protocol.0,
            checksum: 0.into(),
            source: source.octets(),
            destination: destination.octets(),
        };
        header.seal(&[]);
        let mut bytes = vec![0; total];
        let written = FrameWriter::fill(&mut bytes, |writer| {
            writer.put(header.as_bytes());
            fill(writer);
        });
        assert_eq!(written.map(|written| written.len()), Some(total), "a packet is as long as it was announced");
        self.sent.push_back(Sent { at: self.now, bytes });
        Ok(())
    }
}
