//! A link layer that keeps what it is given.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use mirage_net::{Capabilities, FrameWriter, MacAddress, Outgoing, PartialChecksum, SendError};

use crate::{EtherType, Ethernet, LinkHeader, LinkPacket};

/// A link layer for tests: it keeps what it is given, and each of its answers is a field.
///
/// The buffer that it lends is full of rubbish, and it panics when `fill` writes another number of bytes than was
/// announced.
#[derive(Clone, Debug)]
pub struct FakeEthernet {
    /// What was sent, oldest first.
    pub sent: VecDeque<SentFrame>,
    /// Our hardware address.
    pub mac: MacAddress,
    /// Largest packet in bytes, without the link header.
    pub mtu: usize,
    /// What is taken over; the largest large frame counts 14 bytes of link header.
    pub capabilities: Capabilities,
    /// Each send takes the first of these and fails with it, without a call of `fill`.
    pub next_errors: VecDeque<SendError>,
    /// Most packets in `sent`; beyond it sends fail with [`SendError::Full`].
    pub capacity: usize,
}

/// A packet that a [`FakeEthernet`] was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentFrame {
    /// The order.
    pub packet: LinkPacket,
    /// What was written behind the link header.
    pub bytes: Vec<u8>,
}

impl FakeEthernet {
    /// The station `mac` on an Ethernet: MTU 1500, no offloads, no end of buffers.
    pub fn new(mac: MacAddress) -> Self {
        Self {
            sent: VecDeque::new(),
            mac,
            mtu: 1500,
            capabilities: Capabilities::default(),
            next_errors: VecDeque::new(),
            capacity: usize::MAX,
        }
    }
}

impl Ethernet for FakeEthernet {
    fn mac(&self) -> MacAddress {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn send(&mut self, packet: LinkPacket, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if let Some(error) = self.next_errors.pop_front() {
            return Err(error);
        }
        if self.sent.len() >= self.capacity {
            return Err(SendError::Full);
        }
        let most = packet.segment_size.map_or(self.mtu, |_| self.capabilities.max_large_frame.saturating_sub(14));
        if packet.len > most {
            return Err(SendError::TooLong);
        }
        let bytes = super::filled(packet.len, fill)?;
        self.sent.push_back(SentFrame { packet, bytes });
        Ok(())
    }

    fn header(&self, destination: MacAddress, ethertype: EtherType) -> Option<LinkHeader> {
        let mut header = [0; LinkHeader::LEN];
        header[..6].copy_from_slice(&destination.octets());
        header[6..12].copy_from_slice(&self.mac.octets());
        header[12..].copy_from_slice(&ethertype.0.to_be_bytes());
        Some(LinkHeader(header))
    }

    /// Keeps what [`send`](Ethernet::send) would have; panics where the header is not one of ours.
    fn send_frame(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if let Some(error) = self.next_errors.pop_front() {
            return Err(error);
        }
        if self.sent.len() >= self.capacity {
            return Err(SendError::Full);
        }
        let whole = super::filled(frame.len, fill)?;
        let (header, bytes) = whole.split_first_chunk::<{ LinkHeader::LEN }>().expect("a frame has a header");
        let [destination @ .., _, _, _, _, _, _, _, _] = *header;
        let (destination, ethertype) =
            (MacAddress(destination), EtherType(u16::from_be_bytes([header[12], header[13]])));
        assert_eq!(self.header(destination, ethertype), Some(LinkHeader(*header)), "not a header of ours");
        let above = |sum: PartialChecksum| PartialChecksum { start: sum.start - LinkHeader::LEN as u16, ..sum };
        let packet = LinkPacket {
            destination,
            ethertype,
            len: bytes.len(),
            checksum: frame.checksum.map(above),
            segment_size: frame.segment_size,
        };
        self.sent.push_back(SentFrame { packet, bytes: bytes.to_vec() });
        Ok(())
    }
}
