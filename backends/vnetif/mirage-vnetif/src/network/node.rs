//! A node of a network: a network device.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::task::{Context, Poll};

use mirage_net::{
    Capabilities, ChecksumOffload, Disconnected, Exchange, Frame, FrameId, FrameSet, FrameWriter, Link, MacAddress,
    Net, Outgoing, PartialChecksum, Receive, SegmentationOffload, SendError, Stats, Transmit,
};

use super::NodeId;
use super::simulation::Simulation;
use crate::Impairments;
use crate::cable::LINK_HEADER;

/// What a node and its link shall be like.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its hardware address; `None` for one made of its number: `02:00:00:00:00:01` for the first node.
    pub mac: Option<MacAddress>,
    /// Largest payload after the link header in bytes.
    pub mtu: usize,
    /// Frames that may wait to be taken; further ones are dropped and counted.
    pub slots: usize,
    /// Checksums it completes before a frame leaves.
    pub checksum: ChecksumOffload,
    /// What its link does to frames from the node to the switch.
    pub outbound: Impairments,
    /// What its link does to frames from the switch to the node.
    pub inbound: Impairments,
}

impl Default for NodeConfig {
    /// Ethernet without offloads on a perfect wire, 1024 frames deep.
    fn default() -> Self {
        Self {
            mac: None,
            mtu: 1500,
            slots: 1024,
            checksum: ChecksumOffload::empty(),
            outbound: Impairments::default(),
            inbound: Impairments::default(),
        }
    }
}

/// A node of a [`Network`](crate::Network). Dropping it pulls its plug.
#[derive(Debug)]
pub struct Node {
    receive: NodeReceive,
    transmit: NodeTransmit,
}

/// The half of a [`Node`] that lends received frames. Those of every length may be
/// [kept](Receive::poll_frame_to_keep), 64 at a time; each then costs an allocation.
#[derive(Debug)]
pub struct NodeReceive {
    simulation: Rc<RefCell<Simulation>>,
    id: NodeId,
    kept: Exchange,
}

/// The half of a [`Node`] that sends. It is never full: what a link cannot carry is dropped there.
#[derive(Debug)]
pub struct NodeTransmit {
    simulation: Rc<RefCell<Simulation>>,
    id: NodeId,
    mac: MacAddress,
    mtu: usize,
    checksum: ChecksumOffload,
}

impl Node {
    pub(super) fn plug(simulation: &Rc<RefCell<Simulation>>, config: NodeConfig) -> Self {
        let id = simulation.borrow_mut().plug(config.outbound, config.inbound, config.slots);
        let [.., a, b, c, d] = (id.0 as u32).wrapping_add(1).to_be_bytes();
        let mac = config.mac.unwrap_or(MacAddress([2, 0, a, b, c, d]));
        Self {
            receive: NodeReceive { simulation: simulation.clone(), id, kept: Exchange::new() },
            transmit: NodeTransmit {
                simulation: simulation.clone(),
                id,
                mac,
                mtu: config.mtu,
                checksum: config.checksum,
            },
        }
    }

    /// Its number: the network knows it by that.
    pub fn id(&self) -> NodeId {
        self.receive.id
    }
}

impl Net for Node {
    type Receive = NodeReceive;
    type Transmit = NodeTransmit;

    fn split(&mut self) -> (&mut NodeReceive, &mut NodeTransmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.receive.simulation.borrow().stats(self.receive.id)
    }
}

impl Receive for NodeReceive {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        self.poll_frame_to_keep(cx, |frame, _| (take(frame), false))
    }

    fn poll_frame_to_keep<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool),
    ) -> Poll<Result<R, Disconnected>> {
        // Not borrowed while `take` runs: it may send.
        let received = self.simulation.borrow_mut().receive(self.id);
        if let Some(frame) = received {
            let offered = self.kept.offer();
            let (result, keep) = take(Frame::new(&frame), offered);
            match offered.filter(|_| keep) {
                Some(number) => {
                    let place = 0..frame.len();
                    self.kept.keep(number, &mut frame.into(), place);
                }
                None => self.simulation.borrow_mut().recycle(frame),
            }
            return Poll::Ready(Ok(result));
        }
        let mut simulation = self.simulation.borrow_mut();
        if simulation.is_closed() {
            return Poll::Ready(Err(Disconnected));
        }
        simulation.wait(self.id, cx);
        Poll::Pending
    }

    fn kept(&self, frame: FrameId) -> &[u8] {
        self.kept.kept(frame)
    }

    fn release(&mut self, frames: FrameSet) {
        self.kept.release(frames);
    }
}

impl Transmit for NodeTransmit {
    fn mac(&self) -> MacAddress {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { checksum: self.checksum, segmentation: SegmentationOffload::empty(), max_large_frame: 0 }
    }

    fn link(&self) -> Link {
        self.simulation.borrow().link(self.id)
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        Poll::Ready(if self.simulation.borrow().is_closed() { Err(Disconnected) } else { Ok(()) })
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if self.simulation.borrow().is_closed() {
            return Err(SendError::Disconnected);
        }
        if frame.len > self.mtu.saturating_add(LINK_HEADER) {
            self.simulation.borrow_mut().refused(self.id);
            return Err(SendError::TooLong);
        }
        // Not borrowed while `fill` runs: it may look at the device.
        let mut buffer = self.simulation.borrow_mut().buffer();
        buffer.resize(frame.len, 0);
        let written = FrameWriter::fill(&mut buffer, fill).map(|frame| frame.len());
        let mut simulation = self.simulation.borrow_mut();
        let Some(written) = written else {
            simulation.refused(self.id);
            return Err(SendError::TooLong);
        };
        buffer.truncate(written);
        // A checksum that nobody offered to complete stays wrong: the receiver shall find the mistake.
        if let Some(place) = frame.checksum.filter(|_| !self.checksum.is_empty()) {
            complete(&mut buffer, place);
        }
        simulation.send(self.id, buffer);
        Ok(())
    }

    fn flush(&mut self) {}
}

impl Drop for Node {
    fn drop(&mut self) {
        self.receive.simulation.borrow_mut().unplug(self.receive.id);
    }
}

/// Completes an Internet checksum (RFC 1071) whose field holds the pseudo-header's sum. A place outside of the frame
/// is left alone.
fn complete(frame: &mut [u8], place: PartialChecksum) {
    let start = usize::from(place.start);
    let at = start + usize::from(place.offset);
    if at + 2 > frame.len() {
        return;
    }
    let (pairs, last) = frame[start..].as_chunks::<2>();
    let mut sum: u64 = pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum();
    sum += last.first().map_or(0, |byte| u64::from(*byte) << 8);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = match !(sum as u16) {
        // RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
        0 => 0xffff,
        sum => sum,
    };
    frame[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
}
