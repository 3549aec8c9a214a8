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
                    self.written(result.map_err(|error| Errno::from_io_error(&error)));
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
        while let Some(frame) = self.queue.first() {
            match rustix::io::write(self.shared.fd.get_ref(), frame) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.shared.stuck.set(true);
                    return;
                }
                result => self.written(result.map_err(Some)),
            }
        }
        self.shared.stuck.set(false);
    }
}

impl TapTransmit {
    /// The kernel took the oldest frame or refused it.
    fn written(&mut self, result: Result<usize, Option<Errno>>) {
        match result {
            Ok(len) => self.shared.count(|stats| {
                stats.tx_frames += 1;
                stats.tx_bytes += (len - if self.shared.with_header { header::LEN } else { 0 }) as u64;
            }),
            // The interface was deleted.
            Err(Some(Errno::BADFD | Errno::NODEV | Errno::NXIO)) => {
                self.shared.gone.set(true);
                self.queue.clear();
                return;
            }
            // The interface is down, the kernel is out of memory or does not like the frame: it is lost, as on a cable.
            Err(_) => self.shared.count(|stats| stats.tx_dropped += 1),
        }
        self.queue.pop();
    }
}
