//! A device that tests own.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};

use crate::{
    Capabilities, Disconnected, Exchange, Frame, FrameId, FrameSet, FrameWriter, Link, MacAddress, Net, Outgoing,
    Receive, ReceivedChecksum, SendError, Stats, Transmit,
};

/// A device that tests own: they put frames in, take frames out and turn every knob.
///
/// Clones are the same device, so a test keeps one and gives the other to the stack. Each buffer is full of rubbish
/// (`0xa5`) before it is filled, and frames leave only with [`Transmit::flush`]: a layer that trusts the buffer or
/// forgets to flush is found out. Frames of every length [may be kept](Receive::poll_frame_to_keep).
///
/// ```
/// use mirage_net::{MacAddress, Net, Outgoing, Transmit, testing::FakeNet};
///
/// let mut device = FakeNet::new(MacAddress::local([0, 0, 0, 0, 0, 1]));
/// let (_, transmit) = device.split();
/// transmit.send(Outgoing::new(14), |frame| frame.put_zeroes(14)).unwrap();
/// transmit.flush();
/// assert_eq!(device.take_sent().unwrap().bytes.len(), 14);
/// ```
#[derive(Clone, Debug)]
pub struct FakeNet {
    receive: FakeReceive,
    transmit: FakeTransmit,
}

/// The receiving half of a [`FakeNet`]. What one clone keeps the others know nothing of.
#[derive(Debug)]
pub struct FakeReceive {
    device: Rc<RefCell<Device>>,
    wire: Rc<RefCell<Wire>>,
    kept: Exchange,
}

/// The transmitting half of a [`FakeNet`].
#[derive(Clone, Debug)]
pub struct FakeTransmit {
    device: Rc<RefCell<Device>>,
    wire: Rc<RefCell<Wire>>,
}

/// A frame on its way into or out of a [`FakeNet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeFrame {
    /// What was written.
    pub bytes: Vec<u8>,
    /// What the sender asked of the device.
    pub outgoing: Outgoing,
    /// What the receiver is told of the checksum.
    pub received: ReceivedChecksum,
}

#[derive(Debug)]
struct Device {
    mac: MacAddress,
    mtu: usize,
    capabilities: Capabilities,
    link: Link,
    disconnected: bool,
    /// How many frames may be kept.
    most_kept: usize,
    stats: Stats,
}

/// One direction of a cable.
#[derive(Debug)]
struct Wire {
    /// Sent, not flushed.
    queued: VecDeque<FakeFrame>,
    /// Flushed, not taken.
    frames: VecDeque<FakeFrame>,
    /// Most frames in both queues.
    capacity: usize,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl FakeNet {
    /// A device of an Ethernet's size (MTU 1500) without offloads, whose cable is in and whose queue holds 256 frames.
    pub fn new(mac: MacAddress) -> Self {
        Self::between(mac, Wire::new(), Wire::new())
    }

    /// Two devices with a cable between them.
    pub fn pair() -> (Self, Self) {
        let (there, back) = (Wire::new(), Wire::new());
        (
            Self::between(MacAddress([2, 0, 0, 0, 0, 1]), back.clone(), there.clone()),
            Self::between(MacAddress([2, 0, 0, 0, 0, 2]), there, back),
        )
    }

    fn between(mac: MacAddress, receive: Rc<RefCell<Wire>>, transmit: Rc<RefCell<Wire>>) -> Self {
        let device = Rc::new(RefCell::new(Device {
            mac,
            mtu: 1500,
            capabilities: Capabilities::default(),
            link: Link::Up,
            disconnected: false,
            most_kept: FrameId::COUNT,
            stats: Stats::default(),
        }));
        Self {
            receive: FakeReceive { device: device.clone(), wire: receive, kept: Exchange::new() },
            transmit: FakeTransmit { device, wire: transmit },
        }
    }

    /// Puts a frame into the device's receive queue, nothing checked and nothing merged.
    pub fn receive(&self, bytes: &[u8]) {
        self.receive_frame(FakeFrame {
            bytes: bytes.to_vec(),
            outgoing: Outgoing::new(bytes.len()),
            received: ReceivedChecksum::Unchecked,
        });
    }

    /// Puts a frame into the device's receive queue.
    pub fn receive_frame(&self, frame: FakeFrame) {
        let mut wire = self.receive.wire.borrow_mut();
        wire.frames.push_back(frame);
        wire.receiver.take().into_iter().for_each(Waker::wake);
    }

    /// Takes the oldest frame that was sent and flushed, and thereby frees its place.
    pub fn take_sent(&self) -> Option<FakeFrame> {
        self.transmit.wire.borrow_mut().take()
    }

    /// Sets the largest payload after the link header, in bytes.
    pub fn set_mtu(&self, mtu: usize) {
        self.transmit.device.borrow_mut().mtu = mtu;
    }

    /// Sets what the device says that it takes over. It keeps such frames as they were written.
    pub fn set_capabilities(&self, capabilities: Capabilities) {
        self.transmit.device.borrow_mut().capabilities = capabilities;
    }

    /// Puts the cable in or pulls it out.
    pub fn set_link(&self, link: Link) {
        self.transmit.device.borrow_mut().link = link;
        self.receive.wire.borrow_mut().receiver.take().into_iter().for_each(Waker::wake);
    }

    /// Sets how many frames may wait to be taken; with 0 every send says [`SendError::Full`].
    pub fn set_capacity(&self, capacity: usize) {
        let mut wire = self.transmit.wire.borrow_mut();
        wire.capacity = capacity;
        wire.wake_sender();
    }

    /// Sets how many frames may be kept at a time: [`FrameId::COUNT`] in the beginning, and with 0 it is a device that keeps
    /// none. What is kept already stays.
    pub fn set_most_kept(&self, most: usize) {
        self.transmit.device.borrow_mut().most_kept = most;
    }

    /// Takes the device away for good. Frames that arrived before are still lent.
    pub fn disconnect(&self) {
        self.transmit.device.borrow_mut().disconnected = true;
        self.receive.wire.borrow_mut().receiver.take().into_iter().for_each(Waker::wake);
        self.transmit.wire.borrow_mut().sender.take().into_iter().for_each(Waker::wake);
    }
}

impl Wire {
    fn new() -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            queued: VecDeque::new(),
            frames: VecDeque::new(),
            capacity: 256,
            receiver: None,
            sender: None,
        }))
    }

    fn is_full(&self) -> bool {
        self.queued.len() + self.frames.len() >= self.capacity
    }

    fn take(&mut self) -> Option<FakeFrame> {
        let frame = self.frames.pop_front();
        self.wake_sender();
        frame
    }

    fn wake_sender(&mut self) {
        if !self.is_full() {
            self.sender.take().into_iter().for_each(Waker::wake);
        }
    }
}

impl Net for FakeNet {
    type Receive = FakeReceive;
    type Transmit = FakeTransmit;

    fn split(&mut self) -> (&mut FakeReceive, &mut FakeTransmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        self.transmit.device.borrow().stats
    }
}

impl Clone for FakeReceive {
    fn clone(&self) -> Self {
        Self { device: self.device.clone(), wire: self.wire.clone(), kept: Exchange::new() }
    }
}

impl Receive for FakeReceive {
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
        let frame = self.wire.borrow_mut().take();
        let Some(FakeFrame { bytes, outgoing, received }) = frame else {
            if self.device.borrow().disconnected {
                return Poll::Ready(Err(Disconnected));
            }
            self.wire.borrow_mut().receiver = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let most_kept = {
            // Given back before `take`, which may send on the other half.
            let Device { stats, most_kept, .. } = &mut *self.device.borrow_mut();
            stats.rx_frames += 1;
            stats.rx_bytes += bytes.len() as u64;
            *most_kept
        };
        // It is the lowest that is free.
        let offered = self.kept.offer().filter(|number| usize::from(number.number()) < most_kept);
        let frame = Frame { bytes: &bytes, checksum: received, segment_size: outgoing.segment_size };
        let (result, keep) = take(frame, offered);
        if let Some(number) = offered.filter(|_| keep) {
            let place = 0..bytes.len();
            self.kept.keep(number, &mut bytes.into(), place);
        }
        Poll::Ready(Ok(result))
    }

    fn kept(&self, frame: FrameId) -> &[u8] {
        self.kept.kept(frame)
    }

    fn release(&mut self, frames: FrameSet) {
        self.kept.release(frames);
    }
}

impl Transmit for FakeTransmit {
    fn mac(&self) -> MacAddress {
        self.device.borrow().mac
    }

    fn mtu(&self) -> usize {
        self.device.borrow().mtu
    }

    fn capabilities(&self) -> Capabilities {
        self.device.borrow().capabilities
    }

    fn link(&self) -> Link {
        self.device.borrow().link
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        if self.device.borrow().disconnected {
            return Poll::Ready(Err(Disconnected));
        }
        let mut wire = self.wire.borrow_mut();
        if wire.is_full() {
            wire.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, outgoing: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        let most = {
            let device = self.device.borrow();
            if device.disconnected {
                return Err(SendError::Disconnected);
            }
            match outgoing.segment_size {
                Some(_) => device.capabilities.max_large_frame,
                None => device.mtu + LINK_HEADER,
            }
        };
        if outgoing.len > most {
            return Err(SendError::TooLong);
        }
        if self.wire.borrow().is_full() {
            return Err(SendError::Full);
        }
        let mut buffer = vec![0xa5; outgoing.len];
        let bytes = FrameWriter::fill(&mut buffer, fill).ok_or(SendError::TooLong)?.to_vec();
        let mut device = self.device.borrow_mut();
        if device.link == Link::Down {
            device.stats.tx_dropped += 1;
            return Ok(());
        }
        device.stats.tx_frames += 1;
        device.stats.tx_bytes += bytes.len() as u64;
        let received = match outgoing.checksum {
            Some(_) => ReceivedChecksum::Partial,
            None => ReceivedChecksum::Unchecked,
        };
        self.wire.borrow_mut().queued.push_back(FakeFrame { bytes, outgoing, received });
        Ok(())
    }

    fn flush(&mut self) {
        let mut wire = self.wire.borrow_mut();
        let Wire { queued, frames, receiver, .. } = &mut *wire;
        if !queued.is_empty() {
            frames.append(queued);
            receiver.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// Two addresses, an EtherType and room for a VLAN tag.
const LINK_HEADER: usize = 18;
