//! Frames to the kernel.

use std::rc::Rc;
use std::task::{Context, Poll};

use mirage_net::{
    Capabilities, ChecksumOffload, Disconnected, FrameWriter, Link, MacAddress, Outgoing, SegmentationOffload,
    SendError, Transmit,
};
use mirage_unix::Direction;
use rustix::io::Errno;

use crate::kernel::{Interface, Offloads};
use crate::queue::{Queue, Refused};
use crate::shared::Shared;
use mirage_virtio_header as header;

/// Link header.
const LINK: usize = 14;
/// A tag that may stand in it.
const TAG: usize = 4;
/// Longest frame that the kernel cuts.
const LARGE: usize = 65_535;

/// The half of a [`Tap`](crate::Tap) that sends.
#[derive(Debug)]
pub struct TapTransmit {
    shared: Rc<Shared>,
    interface: Interface,
    mac: MacAddress,
    mtu: usize,
    capabilities: Capabilities,
    queue: Queue,
}

impl TapTransmit {
    pub(crate) fn new(
        shared: Rc<Shared>,
        interface: Interface,
        mac: MacAddress,
        mtu: usize,
        offloads: Offloads,
        queue_bytes: usize,
    ) -> Self {
        let mut capabilities = Capabilities::default();
        if offloads.checksum {
            capabilities.checksum = ChecksumOffload::all();
        }
        if offloads.tcp {
            capabilities.segmentation |= SegmentationOffload::TCP_V4 | SegmentationOffload::TCP_V6;
        }
        if offloads.udp {
            capabilities.segmentation |= SegmentationOffload::UDP;
        }
        if !capabilities.segmentation.is_empty() {
            capabilities.max_large_frame = LARGE;
        }
        let longest = capabilities.max_large_frame.max(mtu + LINK + TAG);
        Self { shared, interface, mac, mtu, capabilities, queue: Queue::new(queue_bytes, longest) }
    }

    fn longest(&self, frame: &Outgoing) -> usize {
        let whole = self.mtu + LINK + TAG;
        if frame.segment_size.is_some() { self.capabilities.max_large_frame.max(whole) } else { whole }
    }
}

impl Transmit for TapTransmit {
    fn mac(&self) -> MacAddress {
        self.mac
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn link(&self) -> Link {
        match self.interface.is_up() {
            Ok(true) => Link::Up,
            // An interface that cannot be asked is gone.
            Ok(false) | Err(_) => Link::Down,
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        loop {
            if self.shared.gone.get() {
                return Poll::Ready(Err(Disconnected));
            }
            if self.queue.has_room(self.mtu + LINK + TAG) {
                return Poll::Ready(Ok(()));
            }
            let Self { shared, queue, .. } = self;
            // Nothing is in the way once the queue is empty: one frame always fits.
            let Some(frame) = queue.first() else { return Poll::Ready(Ok(())) };
            match shared.fd.poll_io(cx, Direction::Write, |fd| Ok(rustix::io::write(fd, frame)?)) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(result) => {
                    shared.written(result.map_err(|error| Errno::from_io_error(&error)));
                    queue.pop();
                }
            }
        }
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        debug_assert!(
            frame.checksum.is_none() || !self.capabilities.checksum.is_empty(),
            "an offload that is not there"
        );
        debug_assert!(
            frame.segment_size.is_none() || frame.checksum.is_some(),
            "what is cut has its checksums completed"
        );
        if self.shared.gone.get() {
            return Err(SendError::Disconnected);
        }
        if frame.len > self.longest(&frame) {
            return Err(SendError::TooLong);
        }
        if !self.queue.has_room(frame.len) {
            self.flush();
        }
        let head = self.shared.with_header.then_some(|bytes: &[u8]| header::outgoing(&frame, bytes));
        self.queue.push(frame.len, fill, head).map_err(|refused| match refused {
            Refused::Full => SendError::Full,
            Refused::Overflowed => SendError::TooLong,
        })
    }

    fn flush(&mut self) {
        self.flush_batches();
        while let Some(frame) = self.queue.first() {
            match rustix::io::write(self.shared.fd.get_ref(), frame) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.shared.stuck.set(true);
                    return;
                }
                result => {
                    self.shared.written(result.map_err(Some));
                    self.queue.pop();
                }
            }
            if self.shared.gone.get() {
                self.queue.clear();
            }
        }
        self.shared.stuck.set(false);
    }
}

impl TapTransmit {
    /// Writes what waits by few system calls, as long as the kernel takes everything.
    fn flush_batches(&mut self) {
        let Self { shared, queue, .. } = self;
        let mut ring = shared.ring.borrow_mut();
        while queue.frames().len() >= WORTH_A_BATCH && !shared.gone.get() {
            let outcomes = ring.write(queue.frames());
            let mut all = !outcomes.is_empty();
            queue.settle(outcomes.iter().map(|outcome| {
                let result = outcome.bytes();
                let gone = !matches!(result, Err(Errno::AGAIN | Errno::INTR));
                if gone {
                    shared.written(result.map_err(Some));
                }
                all &= gone;
                gone
            }));
            if !all {
                return;
            }
        }
    }
}

/// How many frames one call of the ring is cheaper for than a call for each.
const WORTH_A_BATCH: usize = 2;
