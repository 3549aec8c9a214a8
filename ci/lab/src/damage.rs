//! A device that damages what it takes in.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::task::{Context, Poll};

use mirage_net::{
    Capabilities, Disconnected, Frame, FrameWriter, Link, MacAddress, Net, Outgoing, Receive, SendError, Stats,
    Transmit,
};
use mirage_vnetif::Node;
use rand_core::Rng as _;

use crate::Dice;

/// A node that changes one byte of some of the IPv4 packets it takes in.
///
/// Every checksum there is finds a single changed byte, while two or three flipped bits anywhere in a packet pass the
/// Internet checksum about once in a hundred times: of those no stack can be asked to find all. ARP is spared, for it
/// has no checksum.
pub struct Damaging {
    receive: DamagingReceive,
    transmit: DamagingTransmit,
}

pub struct DamagingReceive {
    node: Rc<RefCell<Node>>,
    one_in: u32,
    dice: Dice,
}

pub struct DamagingTransmit(Rc<RefCell<Node>>);

impl Damaging {
    /// `node`, with damage.
    pub fn new(node: Node, one_in: u32, seed: u64) -> Self {
        let node = Rc::new(RefCell::new(node));
        let receive = DamagingReceive { node: node.clone(), one_in, dice: Dice(seed) };
        Self { receive, transmit: DamagingTransmit(node) }
    }
}

impl Net for Damaging {
    type Receive = DamagingReceive;
    type Transmit = DamagingTransmit;

    fn split(&mut self) -> (&mut DamagingReceive, &mut DamagingTransmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.transmit.0.borrow().stats()
    }
}

impl Receive for DamagingReceive {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        // A copy: `take` may send on the same node.
        let frame = self.node.borrow_mut().split().0.poll_frame(cx, |frame| frame.bytes.to_vec());
        frame.map_ok(|mut bytes| {
            if bytes[12..14] == [8, 0] && self.dice.next_u32().is_multiple_of(self.one_in) {
                let place = 14 + self.dice.next_u32() as usize % (bytes.len() - 14);
                bytes[place] ^= (self.dice.next_u32() % 255 + 1) as u8;
            }
            take(Frame::new(&bytes))
        })
    }
}

impl Transmit for DamagingTransmit {
    fn mac(&self) -> MacAddress {
        self.0.borrow_mut().split().1.mac()
    }

    fn mtu(&self) -> usize {
        self.0.borrow_mut().split().1.mtu()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.borrow_mut().split().1.capabilities()
    }

    fn link(&self) -> Link {
        self.0.borrow_mut().split().1.link()
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        self.0.borrow_mut().split().1.poll_ready(cx)
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        self.0.borrow_mut().split().1.send(frame, fill)
    }

    fn flush(&mut self) {
        self.0.borrow_mut().split().1.flush();
    }
}
