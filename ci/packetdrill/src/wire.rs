//! The IP layer below the machine: packets leave into a queue, each with its time.
//!
//! It completes checksums and cuts large segments as a device does, so that the machine sends the packets that Linux
//! sends, which cuts them late as well.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_ipv4::wire::{DONT_FRAGMENT, HEADER_LEN, Header, NO_OPTIONS};
use mirage_net::{Capabilities, ChecksumOffload, FrameWriter, SegmentationOffload, SendError};
use mirage_protocols::{Ip, Packet, Protocol};
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
    pub(crate) mtu: usize,
    /// How many segments it cuts a large one into at most.
    cuts: usize,
    /// When what is sent now leaves.
    pub(crate) now: Instant,
    /// What left and nobody looked at yet, oldest first.
    pub(crate) sent: VecDeque<Sent>,
}

impl Wire {
    pub(crate) fn new(address: Ipv4Addr, mtu: usize, cuts: usize) -> Self {
        Self { address, mtu, cuts, now: Instant::ZERO, sent: VecDeque::new() }
    }

    /// Puts an IP header before `payload` and sends it.
    fn emit(&mut self, packet: &Packet, payload: &[u8]) -> Result<(), SendError> {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.source, packet.destination) else {
            return Err(SendError::NoRoute);
        };
        let total = HEADER_LEN + payload.len();
        if total > self.mtu {
            return Err(SendError::WouldFragment { mtu: self.mtu });
        }
        let mut header = Header {
            version_and_length: NO_OPTIONS,
            traffic_class: packet.ecn as u8,
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
        self.sent.push_back(Sent { at: self.now, bytes: [header.as_bytes(), payload].concat() });
        Ok(())
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
        Capabilities {
            checksum: ChecksumOffload::TCP_V4,
            segmentation: SegmentationOffload::TCP_V4,
            // With room for the options of a header.
            max_large_frame: self.cuts * self.mtu.saturating_sub(HEADER_LEN + TCP_HEADER_LEN) + TCP_HEADER_LEN + 40,
        }
    }

    fn send(&mut self, packet: Packet, fill: impl FnMut(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if packet.segment_size.is_none() && HEADER_LEN + packet.len > self.mtu {
            return Err(SendError::WouldFragment { mtu: self.mtu });
        }
        let mut bytes = vec![0; packet.len];
        let written = FrameWriter::fill(&mut bytes, fill);
        assert_eq!(written.map(|written| written.len()), Some(packet.len), "a packet is as long as it was announced");
        if packet.protocol != Protocol::TCP || packet.checksum.is_none() {
            return self.emit(&packet, &bytes);
        }
        let size = packet.segment_size.map_or(usize::MAX, |size| size.get().into());
        cut(&packet, &bytes, size).iter().try_for_each(|segment| self.emit(&packet, segment))
    }
}

/// Cuts a TCP segment into some whose payload has `size` bytes at most, and completes their checksums.
fn cut(packet: &Packet, segment: &[u8], size: usize) -> Vec<Vec<u8>> {
    let header_len = usize::from(segment[12] >> 4) * 4;
    let (header, payload) = segment.split_at(header_len);
    let seq = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    let count = payload.len().div_ceil(size).max(1);
    let piece = |at: usize| {
        let start = at.saturating_mul(size).min(payload.len());
        let mut bytes = header.to_vec();
        bytes[4..8].copy_from_slice(&seq.wrapping_add(start as u32).to_be_bytes());
        if at + 1 < count {
            bytes[13] &= !(FIN | PSH);
        }
        if at > 0 {
            bytes[13] &= !CWR;
        }
        bytes.extend_from_slice(&payload[start..start.saturating_add(size).min(payload.len())]);
        bytes[16..18].fill(0);
        let sum =
            Sum::of(&bytes).pseudo_header(packet.source, packet.destination, packet.protocol.0, bytes.len() as u32);
        bytes[16..18].copy_from_slice(&sum.finish().to_be_bytes());
        bytes
    };
    (0..count).map(piece).collect()
}

const TCP_HEADER_LEN: usize = 20;
const FIN: u8 = 1;
const PSH: u8 = 8;
const CWR: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_segment_is_cut_and_its_end_is_marked_once() {
        let packet = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Protocol::TCP, 45);
        let mut segment = vec![0; 20];
        segment[7] = 100;
        segment[12] = 0x50;
        segment[13] = PSH | FIN | CWR | 0x10;
        segment.extend([7; 25]);
        let pieces = cut(&packet, &segment, 10);
        let shape: Vec<_> = pieces.iter().map(|piece| (piece[7], piece[13], piece.len() - 20)).collect();
        assert_eq!(shape, [(100, CWR | 0x10, 10), (110, 0x10, 10), (120, PSH | FIN | 0x10, 5)]);
        for piece in pieces {
            let sum = Sum::of(&piece).pseudo_header(packet.source, packet.destination, 6, piece.len() as u32);
            assert!(sum.is_valid());
        }
    }
}
