//! Frames from the device.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec;
use core::fmt;
use core::task::{Context, Poll};

use mirage_net::{Disconnected, Frame, Receive};
use mirage_virtio::Bell;
use mirage_virtio_header as header;
use mirage_virtqueue::{Broken, Memory, Piece, Queue, Used};
use virtio_drivers::Hal;
use virtio_drivers::transport::Transport;

use crate::Error;
use crate::features::{GUEST_CSUM, MRG_RXBUF};
use crate::gather::Gather;
use crate::plan::Plan;
use crate::shared::Shared;
use crate::wakers::Side;

/// The half of a [`Nic`](crate::Nic) that lends received frames.
pub struct NicReceive<H: Hal, T: Transport, B: Bell> {
    shared: Rc<Shared<T, B>>,
    /// The tag of a chain is the number of its buffer.
    queue: Queue<H>,
    /// The buffers, one behind the other.
    memory: Memory<H>,
    buffer: usize,
    buffers: u16,
    header: usize,
    header_apart: bool,
    merges: bool,
    offloads: bool,
    /// Buffers given back since the device was told.
    untold: u16,
    /// An interrupt was asked for.
    armed: bool,
    gather: Gather,
    /// For frames whose buffers do not lie one behind the other. Its length is that of the longest frame.
    together: Box<[u8]>,
}

/// Where a frame lies.
enum Place {
    /// In the device's memory, so many bytes from its start on.
    Lies { at: usize, len: usize },
    /// It was copied together.
    Together { len: usize },
}

impl<H: Hal, T: Transport, B: Bell> NicReceive<H, T, B> {
    pub(crate) fn new(shared: Rc<Shared<T, B>>, queue: Queue<H>, plan: &Plan) -> Result<Self, Error> {
        let buffers = plan.buffers.min(queue.size() / plan.pieces());
        let memory = Memory::new(usize::from(buffers) * plan.buffer).ok_or(Error::NoMemory)?;
        let merges = plan.features & MRG_RXBUF != 0;
        let mut receive = Self {
            shared,
            queue,
            memory,
            buffer: plan.buffer,
            buffers,
            header: plan.header,
            header_apart: plan.header_apart,
            merges,
            offloads: plan.features & GUEST_CSUM != 0,
            untold: 0,
            armed: false,
            gather: Gather::default(),
            together: vec![0; if merges { plan.longest_received } else { 0 }].into(),
        };
        for buffer in 0..buffers {
            receive.give_back(buffer);
        }
        Ok(receive)
    }

    /// Tells the device of all buffers that were given back.
    pub(crate) fn offer(&mut self) {
        self.untold = 0;
        let Self { shared, queue, .. } = self;
        shared.with(|transport| queue.notify(transport));
    }

    /// The device may use this buffer again.
    fn give_back(&mut self, buffer: u16) {
        let at = usize::from(buffer) * self.buffer;
        let piece = |at, len: usize| Piece { address: self.memory.address(at), len: len as u32, written: true };
        let pieces = [piece(at, self.header), piece(at + self.header, self.buffer - self.header)];
        let whole = [piece(at, self.buffer)];
        let pieces = if self.header_apart { &pieces[..] } else { &whole[..] };
        // SAFETY: the memory lives until this half is dropped, which resets the device first. A buffer is given back
        // only when it is not lent: it came from `take`, and its frame is gone.
        let added = unsafe { self.queue.add(pieces, buffer) };
        // There are as many descriptors as all buffers need.
        debug_assert!(added.is_ok(), "more buffers than descriptors");
        self.untold += 1;
    }

    /// The buffers of the run are not needed any more.
    fn give_back_run(&mut self) {
        let Gather { first, count, .. } = self.gather;
        for buffer in first..first.saturating_add(count) {
            self.give_back(buffer);
        }
        self.gather.count = 0;
        self.gather.run = 0;
    }

    /// The run breaks: what it has of the frame is copied away.
    fn copy_run(&mut self) {
        let Gather { first, count, run, copied, .. } = self.gather;
        if count == 0 {
            return;
        }
        let skipped = if copied == 0 { self.header } else { 0 };
        let at = usize::from(first) * self.buffer + skipped;
        // SAFETY: the device gave these buffers back and has not got them again.
        let bytes = unsafe { self.memory.bytes(at, run - skipped) };
        // The one copy of this half: a stack reads frames of one piece.
        match (bytes, self.together.get_mut(copied..copied + run - skipped)) {
            (Some(bytes), Some(place)) => place.copy_from_slice(bytes),
            _ => self.gather.bad = true,
        }
        self.gather.copied += run - skipped;
        self.give_back_run();
    }

    /// A buffer came back from the device.
    fn collect(&mut self, used: Used) -> Result<(), Broken> {
        let Used { tag, len } = used;
        let len = len as usize;
        if self.gather.missing == 0 {
            self.begin(tag);
            // It cannot lie in more buffers than there are; in none, it cannot lie either.
            if self.gather.missing > self.buffers {
                return Err(Broken);
            }
            self.gather.bad = self.gather.missing == 0 || len <= self.header;
            self.gather.missing = self.gather.missing.max(1);
        }
        self.gather.missing -= 1;
        // More than there was room for was not written: nobody knows what was.
        self.gather.bad |= len > self.buffer || len == 0;
        if self.gather.bad {
            self.give_back_run();
            self.give_back(tag);
            return Ok(());
        }
        if !self.gather.goes_on(tag, self.buffer) {
            self.copy_run();
            self.gather.first = tag;
        }
        self.gather.count += 1;
        self.gather.run += len;
        Ok(())
    }

    /// A frame begins in `buffer`: reads its header.
    fn begin(&mut self, buffer: u16) {
        let at = usize::from(buffer) * self.buffer;
        // SAFETY: the device gave the buffer back and has not got it again.
        let bytes = unsafe { self.memory.bytes(at, header::LEN_WITH_BUFFERS) }.unwrap_or_default();
        let Some((bytes, number)) = bytes.split_first_chunk::<{ header::LEN }>() else { return };
        self.gather = Gather::default();
        // Flags that were not agreed on mean nothing.
        if self.offloads {
            (self.gather.checksum, self.gather.segment_size) = header::received(bytes);
        }
        self.gather.missing = match *number {
            [low, high] if self.merges => u16::from_le_bytes([low, high]),
            _ => 1,
        };
    }

    /// Buffers from the device until a frame is complete; `None` when there are none.
    fn next(&mut self) -> Result<Option<Place>, Broken> {
        // Each frame takes at least one buffer, so a device that sends nothing but nonsense does not keep us for ever.
        for _ in 0..self.buffers {
            let Some(used) = self.queue.take()? else { return Ok(None) };
            if self.armed {
                self.armed = false;
                self.queue.disarm();
                self.shared.served();
            }
            self.collect(used)?;
            if self.gather.missing > 0 {
                continue;
            }
            if !self.gather.bad && self.gather.copied > 0 {
                self.copy_run();
            }
            let Gather { first, run, copied, bad, .. } = self.gather;
            let len = if copied > 0 { copied } else { run.saturating_sub(self.header) };
            if bad || len > self.longest() {
                self.give_back_run();
                self.shared.count(|stats| stats.rx_dropped += 1);
                continue;
            }
            return Ok(Some(match copied {
                0 => Place::Lies { at: usize::from(first) * self.buffer, len },
                _ => Place::Together { len },
            }));
        }
        Ok(None)
    }

    /// Longest frame that is accepted.
    fn longest(&self) -> usize {
        if self.merges { self.together.len() } else { self.buffer - self.header }
    }

    /// Waits for the device; whether there is something already.
    fn wait(&mut self, cx: &Context<'_>) -> Result<bool, Broken> {
        self.shared.wait(Side::Receive, cx.waker());
        self.armed = true;
        self.queue.arm(1)
    }
}

impl<H: Hal, T: Transport, B: Bell> Receive for NicReceive<H, T, B> {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        // The second look is for what came while we prepared to wait; then it is the device's fault that nothing is there.
        for _ in 0..2 {
            if self.shared.is_gone() {
                return Poll::Ready(Err(Disconnected));
            }
            match self.next() {
                Ok(Some(place)) => return Poll::Ready(Ok(self.lend(&place, take))),
                Ok(None) => {}
                Err(Broken) => {
                    self.shared.give_up();
                    return Poll::Ready(Err(Disconnected));
                }
            }
            self.offer();
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
}

impl<H: Hal, T: Transport, B: Bell> NicReceive<H, T, B> {
    /// Lends the frame at `place`; afterwards its buffers are the device's again.
    fn lend<R>(&mut self, place: &Place, take: impl FnOnce(Frame<'_>) -> R) -> R {
        let bytes = match *place {
            // SAFETY: the device gave these buffers back and gets them again only when `take` is done.
            Place::Lies { at, len } => unsafe { self.memory.bytes(at + self.header, len) },
            Place::Together { len } => self.together.get(..len),
        };
        let bytes = bytes.unwrap_or_default();
        let Gather { checksum, segment_size, .. } = self.gather;
        self.shared.count(|stats| {
            stats.rx_frames += 1;
            stats.rx_bytes += bytes.len() as u64;
        });
        let result = take(Frame { bytes, checksum, segment_size });
        self.give_back_run();
        // Seldom: each time costs a look at the device's half of the ring, and an exit where it starves.
        if self.untold > self.buffers / 4 {
            self.offer();
        }
        result
    }
}

impl<H: Hal, T: Transport, B: Bell> Drop for NicReceive<H, T, B> {
    fn drop(&mut self) {
        // Before the memory goes away.
        self.shared.give_up();
    }
}

impl<H: Hal, T: Transport, B: Bell> fmt::Debug for NicReceive<H, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NicReceive")
    }
}
