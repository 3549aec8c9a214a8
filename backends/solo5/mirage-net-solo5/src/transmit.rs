//! Frames to the host.

use alloc::rc::Rc;
use core::task::{Context, Poll};

use mirage_net::{Capabilities, Disconnected, FrameWriter, Link, MacAddress, Outgoing, SendError, Transmit};
use mirage_solo5::{Abi, Error, Wakes};

use crate::nic::{LINK, TAG};
use crate::queue::Queue;
use crate::shared::Shared;

/// The half of a [`Nic`](crate::Nic) that sends. A frame goes to the host at once; only what the host does not take
/// waits.
#[derive(Debug)]
pub struct NicTransmit<A> {
    shared: Rc<Shared<A>>,
    mac: MacAddress,
    mtu: usize,
    queue: Queue,
}

impl<A: Abi> NicTransmit<A> {
    pub(crate) fn new(shared: Rc<Shared<A>>, mac: MacAddress, mtu: usize) -> Self {
        Self { shared, mac, mtu, queue: Queue::new(mtu + LINK + TAG) }
    }

    /// Hands frames over until none is left or the host takes no more.
    fn write(&mut self) {
        let Self { shared, queue, .. } = self;
        while let Some(frame) = queue.first() {
            match A::net_write(shared.handle, frame) {
                Ok(()) => shared.count(|stats| {
                    stats.tx_frames += 1;
                    stats.tx_bytes += frame.len() as u64;
                }),
                Err(Error::Again) => {
                    shared.stuck.set(true);
                    return;
                }
                // The interface is down or does not like the frame: it is lost, as on a cable.
                Err(Error::Invalid | Error::Unspecified) => shared.count(|stats| stats.tx_dropped += 1),
            }
            queue.pop();
        }
        shared.stuck.set(false);
    }
}

impl<A: Abi> Transmit for NicTransmit<A> {
    fn mac(&self) -> MacAddress {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// The interface does not tell.
    fn link(&self) -> Link {
        if self.shared.gone.get() { Link::Down } else { Link::Up }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        if self.shared.gone.get() {
            return Poll::Ready(Err(Disconnected));
        }
        if self.queue.is_full() {
            self.write();
        }
        if !self.queue.is_full() {
            return Poll::Ready(Ok(()));
        }
        self.shared.machine.set_waker(self.shared.handle, Wakes::Room, cx.waker());
        self.shared.machine.retry(self.shared.handle);
        Poll::Pending
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        debug_assert!(frame.checksum.is_none() && frame.segment_size.is_none(), "an offload that is not there");
        if self.shared.gone.get() {
            return Err(SendError::Disconnected);
        }
        if frame.len > self.mtu + LINK + TAG {
            return Err(SendError::TooLong);
        }
        if self.queue.is_full() {
            self.write();
            if self.queue.is_full() {
                return Err(SendError::Full);
            }
        }
        self.queue.push(frame.len, fill).ok_or(SendError::TooLong)?;
        // A host that just took nothing is asked again by a flush.
        if !self.shared.stuck.get() {
            self.write();
        }
        Ok(())
    }

    fn flush(&mut self) {
        if self.shared.gone.get() {
            let lost = self.queue.clear();
            self.shared.count(|stats| stats.tx_dropped += lost as u64);
        }
        self.write();
        if self.shared.stuck.get() {
            // Whoever waits for frames or for room is woken to flush again.
            self.shared.machine.retry(self.shared.handle);
        }
    }
}
