//! Links that keep what they are given.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use mirage_net::{Capabilities, FrameWriter, SendError};

use crate::{HopPacket, InterfaceId, Neighbours, NextHop};

/// What lies below IPv4, for tests: it keeps what it is given, and each of its answers is a field.
///
/// The buffer that it lends is full of rubbish, and it panics when `fill` writes another number of bytes than was
/// announced.
#[derive(Clone, Debug)]
pub struct FakeNeighbours {
    /// What was sent, oldest first.
    pub sent: VecDeque<SentHop>,
    /// Largest IP packet in bytes, IP header included, on every interface.
    pub mtu: usize,
    /// What is taken over on every interface; the largest large frame counts 14 bytes of link header.
    pub capabilities: Capabilities,
    /// Each send takes the first of these and fails with it, without a call of `fill`.
    pub next_errors: VecDeque<SendError>,
    /// Next hops that do not answer: sends to them fail with [`SendError::Unresolved`].
    pub silent: Vec<NextHop>,
    /// Most packets in `sent`; beyond it sends fail with [`SendError::Full`].
    pub capacity: usize,
}

/// A packet that a [`FakeNeighbours`] was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentHop {
    /// The link it went to.
    pub interface: InterfaceId,
    /// The order.
    pub packet: HopPacket,
    /// The IP packet.
    pub bytes: Vec<u8>,
}

impl FakeNeighbours {
    /// Ethernets: MTU 1500, no offloads, no end of buffers; everybody answers.
    pub fn new() -> Self {
        Self {
            sent: VecDeque::new(),
            mtu: 1500,
            capabilities: Capabilities::default(),
            next_errors: VecDeque::new(),
            silent: Vec::new(),
            capacity: usize::MAX,
        }
    }
}

impl Default for FakeNeighbours {
    fn default() -> Self {
        Self::new()
    }
}

impl Neighbours for FakeNeighbours {
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
        if let Some(error) = self.next_errors.pop_front() {
            return Err(error);
        }
        if self.silent.contains(&packet.to) {
            return Err(SendError::Unresolved);
        }
        if self.sent.len() >= self.capacity {
            return Err(SendError::Full);
        }
        let most = packet.segment_size.map_or(self.mtu, |_| self.capabilities.max_large_frame.saturating_sub(14));
        if packet.len > most {
            return Err(SendError::TooLong);
        }
        let bytes = super::filled(packet.len, fill)?;
        self.sent.push_back(SentHop { interface, packet, bytes });
        Ok(())
    }
}
