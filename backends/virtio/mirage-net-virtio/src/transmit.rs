//! Frames to the device.

use alloc::rc::Rc;
use core::fmt;
use core::task::{Context, Poll};

use mirage_net::{Capabilities, Disconnected, FrameWriter, Link, MacAddress, Outgoing, SendError, Transmit};
use mirage_virtio::Bell;
use mirage_virtio_header as header;
use mirage_virtqueue::{Broken, Memory, Piece, Queue};
use virtio_drivers::Hal;
use virtio_drivers::transport::Transport;

use crate::Error;
use crate::plan::Plan;
use crate::room::Room;
use crate::shared::Shared;
use crate::wakers::Side;

/// The half of a [`Nic`](crate::Nic) that sends.
pub struct NicTransmit<H: Hal, T: Transport, B: Bell> {
    shared: Rc<Shared<T, B>>,
    /// The tag of a chain is that of its place in `room`.
    queue: Queue<H>,
    /// Where frames lie, each behind its header.
    memory: Memory<H>,
    room: Room,
    header: usize,
    header_apart: bool,
    mac: MacAddress,
    mtu: usize,
    whole: usize,
    capabilities: Capabilities,
    /// Length of the last frame that found no room; 0 where that is forgotten.
    refused: usize,
    /// Who waits is woken when the device holds no more frames than this.
    until: Option<u16>,
}

impl<H: Hal, T: Transport, B: Bell> NicTransmit<H, T, B> {
    pub(crate) fn new(
        shared: Rc<Shared<T, B>>,
        queue: Queue<H>,
        plan: &Plan,
        mac: MacAddress,
        bytes: usize,
    ) -> Result<Self, Error> {
        let memory = Memory::new(bytes).ok_or(Error::NoMemory)?;
        let room = Room::new(memory.size(), queue.size() / plan.pieces());
        Ok(Self {
            shared,
            queue,
            memory,
            room,
            header: plan.header,
            header_apart: plan.header_apart,
            mac,
            mtu: plan.mtu,
            whole: plan.whole,
            capabilities: plan.capabilities,
            refused: 0,
            until: None,
        })
    }

    fn longest(&self, frame: &Outgoing) -> usize {
        if frame.segment_size.is_some() { self.capabilities.max_large_frame.max(self.whole) } else { self.whole }
    }

    /// Where a frame of `len` bytes has room, header and all.
    fn find(&self, len: usize) -> Option<usize> {
        let pieces = 1 + u16::from(self.header_apart);
        if self.queue.free() < pieces { None } else { self.room.find(self.header + len) }
    }

    /// Takes back what the device has sent. This is done when room is needed and not before: nobody asks for an interrupt
    /// for each frame.
    fn reap(&mut self) -> Result<(), Broken> {
        while let Some(used) = self.queue.take()? {
            self.room.done(used.tag);
        }
        Ok(())
    }

    /// There was room.
    fn forget(&mut self) {
        self.refused = 0;
        self.until = None;
    }

    /// Whether `poll_ready` may say so.
    fn is_ready(&self) -> bool {
        self.until.is_none_or(|until| self.queue.out() <= until) && self.find(self.refused.max(self.whole)).is_some()
    }

    /// Waits for the device; whether there is something already.
    fn wait(&mut self, cx: &Context<'_>) -> Result<bool, Broken> {
        let out = self.queue.out();
        // Who waits has much to send: woken when most is gone, he sends much at once, while the device is busy with the
        // rest. Where that was not enough room, so again.
        let until = self.until.filter(|until| *until < out).unwrap_or(out / 4);
        self.until = Some(until);
        self.shared.wait(Side::Transmit, cx.waker());
        self.queue.arm(out - until)
    }
}

impl<H: Hal, T: Transport, B: Bell> Transmit for NicTransmit<H, T, B> {
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
        self.shared.link()
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        // What is not told never leaves.
        self.flush();
        // The second look is for what was sent while we prepared to wait.
        for _ in 0..2 {
            if self.shared.is_gone() {
                return Poll::Ready(Err(Disconnected));
            }
            let ready = self.is_ready();
            if !ready && self.reap().is_err() {
                self.shared.give_up();
                continue;
            }
            if ready || self.is_ready() {
                self.forget();
                self.queue.disarm();
                self.shared.served();
                self.shared.done(Side::Transmit);
                return Poll::Ready(Ok(()));
            }
            match self.wait(cx) {
                Ok(true) => {}
                Ok(false) if self.shared.is_gone() => {}
                Ok(false) => return Poll::Pending,
                Err(Broken) => self.shared.give_up(),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
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
        if self.shared.is_gone() {
            return Err(SendError::Disconnected);
        }
        if frame.len > self.longest(&frame) {
            return Err(SendError::TooLong);
        }
        let mut start = self.find(frame.len);
        if start.is_none() {
            if self.reap().is_err() {
                self.shared.give_up();
                return Err(SendError::Disconnected);
            }
            start = self.find(frame.len);
        }
        let Some(start) = start else {
            self.refused = frame.len;
            return Err(SendError::Full);
        };
        let at = start + self.header;
        // SAFETY: `room` has no frame here that the device holds.
        let place = unsafe { self.memory.bytes_mut(at, frame.len) }.ok_or(SendError::TooLong)?;
        let written = FrameWriter::fill(place, fill).ok_or(SendError::TooLong)?;
        let len = written.len();
        let told = header::outgoing(&frame, written);
        if len == 0 {
            // A frame of nothing is none, and no device takes a descriptor of nothing.
            return Ok(());
        }
        // SAFETY: as above; the frame lies behind, and is not lent any more.
        if let Some(place) = unsafe { self.memory.bytes_mut(start, self.header) }
            && let Some((front, buffers)) = place.split_first_chunk_mut()
        {
            *front = told;
            buffers.fill(0);
        }
        let piece = |at, len: usize| Piece { address: self.memory.address(at), len: len as u32, written: false };
        let pieces = [piece(start, self.header), piece(at, len)];
        let whole = [piece(start, self.header + len)];
        let pieces = if self.header_apart { &pieces[..] } else { &whole[..] };
        let tag = self.room.take(start, self.header + len);
        // SAFETY: the memory lives until this half is dropped, which resets the device first, and `room` gives none of it
        // away until the chain comes back.
        let added = unsafe { self.queue.add(pieces, tag) };
        // `find` has seen that descriptors are free.
        debug_assert!(added.is_ok(), "no descriptors");
        self.forget();
        self.shared.count(|stats| {
            stats.tx_frames += 1;
            stats.tx_bytes += len as u64;
        });
        Ok(())
    }

    fn flush(&mut self) {
        if self.shared.is_gone() {
            return;
        }
        let Self { shared, queue, .. } = self;
        shared.with(|transport| queue.notify(transport));
    }
}

impl<H: Hal, T: Transport, B: Bell> Drop for NicTransmit<H, T, B> {
    fn drop(&mut self) {
        // Before the memory goes away.
        self.shared.give_up();
    }
}

impl<H: Hal, T: Transport, B: Bell> fmt::Debug for NicTransmit<H, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NicTransmit")
    }
}
