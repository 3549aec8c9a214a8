//! One end of a cable: a network device.

use alloc::rc::Rc;
use core::convert::identity;
use core::fmt;
use core::hint::cold_path;
use core::task::{Context, Poll};

use mirage_clock::Instant;
use mirage_net::{
    Capabilities, Disconnected, Exchange, Frame, FrameId, FrameSet, FrameWriter, Link, MacAddress, Net, Outgoing,
    Receive, ReceivedChecksum, SendError, Stats, Transmit, send_each,
};

use super::buffer::Buffer;
use super::ring::{Ring, Stored};
use super::{Cable, LINK_HEADER};
use crate::Recorder;

/// One end of a [`cable`](super::cable). When it is dropped, the other end still receives what was sent and is then
/// [`Disconnected`].
#[derive(Debug)]
pub struct CableEnd {
    receive: CableReceive,
    transmit: CableTransmit,
}

/// The half of a [`CableEnd`] that lends received frames.
pub struct CableReceive {
    ring: Rc<Ring>,
    kept: Exchange<Buffer>,
}

/// The half of a [`CableEnd`] that sends. The other end sees frames after [`flush`](Transmit::flush), or when no
/// buffer is free any more.
pub struct CableTransmit {
    ring: Rc<Ring>,
    /// Frames filled so far, flushed or not: those that were sent.
    written: u64,
    mac: MacAddress,
    mtu: usize,
    /// The largest frame that is not to be cut.
    plain: usize,
    capabilities: Capabilities,
    /// What a frame arrives as whose checksum is complete, and one whose checksum is left for the device. A checksum that
    /// nobody was offered to complete is a mistake of the sender: the receiver shall find it.
    arrives: [ReceivedChecksum; 2],
    tap: Option<Box<Tap>>,
    bytes: u64,
    dropped: u64,
}

/// Who keeps a copy of what is sent.
struct Tap {
    recorder: Recorder,
    clock: Box<dyn Fn() -> Instant>,
}

impl CableEnd {
    pub(super) fn new(cable: &Cable, mac: MacAddress, receive: Rc<Ring>, transmit: Rc<Ring>) -> Self {
        let complete = if cable.verified { ReceivedChecksum::Verified } else { ReceivedChecksum::Unchecked };
        let offers = !cable.capabilities.checksum.is_empty();
        let arrives = [complete, if offers { ReceivedChecksum::Partial } else { complete }];
        Self {
            receive: CableReceive { kept: Exchange::new(), ring: receive },
            transmit: CableTransmit {
                ring: transmit,
                written: 0,
                mac,
                mtu: cable.mtu,
                plain: cable.mtu.saturating_add(LINK_HEADER),
                capabilities: cable.capabilities,
                arrives,
                bytes: 0,
                dropped: 0,
                tap: None,
            },
        }
    }

    /// Records what this end sends from now on, with the time that `clock` tells.
    pub fn record(&mut self, recorder: &Recorder, clock: impl Fn() -> Instant + 'static) {
        self.transmit.tap = Some(Box::new(Tap { recorder: recorder.clone(), clock: Box::new(clock) }));
    }

    /// Pulls the cable out (both ends see it) or puts it back. What is sent meanwhile is lost and counted as dropped;
    /// what had arrived before is still received.
    pub fn set_link(&self, link: Link) {
        self.receive.ring.set_up(link == Link::Up);
        self.transmit.ring.set_up(link == Link::Up);
    }
}

impl Net for CableEnd {
    type Receive = CableReceive;
    type Transmit = CableTransmit;

    #[inline]
    fn split(&mut self) -> (&mut CableReceive, &mut CableTransmit) {
        (&mut self.receive, &mut self.transmit)
    }

    fn stats(&self) -> Stats {
        Stats {
            rx_frames: self.receive.ring.taken(),
            rx_bytes: self.receive.ring.bytes_taken(),
            rx_dropped: 0,
            tx_frames: self.transmit.written,
            tx_bytes: self.transmit.bytes,
            tx_dropped: self.transmit.dropped,
        }
    }
}

impl CableReceive {
    /// Lends the oldest frame, which may be kept.
    #[inline(always)]
    fn take_to_keep<R>(&mut self, take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool)) -> Option<R> {
        let Self { ring, kept } = self;
        ring.take(
            #[inline(always)]
            |buffer, Stored { len, checksum, segment_size }| {
                let bytes = buffer.as_ref().get(..len)?;
                let frame = Frame { bytes, checksum, segment_size };
                let offered = kept.offer();
                let (result, keep) = take(frame, offered);
                if keep && let Some(number) = offered {
                    kept.keep(number, buffer, 0..len);
                }
                Some(result)
            },
        )?
    }

    /// The same as [`poll_frames_to_keep`](Receive::poll_frames_to_keep) for frames that are worth keeping, until one is not.
    // By itself, so that short frames have the registers.
    #[inline(never)]
    fn take_long(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        mut take: impl FnMut(Frame<'_>, Option<FrameId>) -> bool,
    ) -> Poll<Result<usize, Disconnected>> {
        let mut taken = 0;
        while taken < most && self.ring.has_long() {
            self.take_to_keep(|frame, number| ((), take(frame, number)));
            taken += 1;
        }
        if taken > 0 { Poll::Ready(Ok(taken)) } else { self.wait(cx) }
    }

    /// There is no frame.
    #[inline]
    fn wait<R>(&self, cx: &Context<'_>) -> Poll<Result<R, Disconnected>> {
        if self.ring.is_closed() {
            return Poll::Ready(Err(Disconnected));
        }
        self.ring.wait_for_frame(cx);
        Poll::Pending
    }
}

impl Receive for CableReceive {
    #[inline]
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        let taken = self.ring.take(|buffer, Stored { len, checksum, segment_size }| {
            take(Frame { bytes: buffer.as_ref().get(..len).unwrap_or_default(), checksum, segment_size })
        });
        match taken {
            Some(result) => Poll::Ready(Ok(result)),
            None => self.wait(cx),
        }
    }

    #[inline]
    fn poll_frame_to_keep<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool),
    ) -> Poll<Result<R, Disconnected>> {
        if !self.ring.has_long() {
            return self.poll_frame(cx, |frame| take(frame, None).0);
        }
        match self.take_to_keep(take) {
            Some(result) => Poll::Ready(Ok(result)),
            None => self.wait(cx),
        }
    }

    #[inline(always)]
    fn poll_frames_to_keep(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        mut take: impl FnMut(Frame<'_>, Option<FrameId>) -> bool,
    ) -> Poll<Result<usize, Disconnected>> {
        if self.ring.has_long() {
            return self.take_long(cx, most, take);
        }
        self.poll_frame(cx, |frame| {
            take(frame, None);
            1
        })
    }

    fn kept(&self, frame: FrameId) -> &[u8] {
        self.kept.kept(frame)
    }

    fn release(&mut self, frames: FrameSet) {
        self.kept.release(frames);
    }
}

impl CableTransmit {
    /// The largest frame of this kind in bytes.
    #[inline]
    fn largest(&self, frame: &Outgoing) -> usize {
        if frame.segment_size.is_some() { self.capabilities.max_large_frame.max(self.plain) } else { self.plain }
    }

    /// Whether frames of this kind go straight into the ring: they arrive, and nobody keeps a copy.
    #[inline]
    fn is_usual(&self, frame: &Outgoing) -> bool {
        !self.ring.is_closed() && self.ring.is_up() && self.tap.is_none() && frame.len <= self.largest(frame)
    }

    /// A run of others.
    fn send_unusual(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        send_each(fills, |fill| self.send(frame, fill))
    }
}

impl Transmit for CableTransmit {
    #[inline]
    fn mac(&self) -> MacAddress {
        self.mac
    }

    #[inline]
    fn mtu(&self) -> usize {
        self.mtu
    }

    #[inline]
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    #[inline]
    fn link(&self) -> Link {
        if self.ring.is_up() { Link::Up } else { Link::Down }
    }

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        if self.ring.is_closed() {
            return Poll::Ready(Err(Disconnected));
        }
        if !self.ring.is_full(self.written) {
            return Poll::Ready(Ok(()));
        }
        // Nobody could free a slot that was never handed over.
        self.ring.publish(self.written);
        self.ring.wait_for_slot(cx);
        Poll::Pending
    }

    // What a stack does for each frame, in its own lane.
    #[inline(always)]
    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        if self.ring.is_closed() {
            cold_path();
            return Err(SendError::Disconnected);
        }
        if frame.len > self.plain && frame.len > self.largest(&frame) {
            cold_path();
            self.dropped += 1;
            return Err(SendError::TooLong);
        }
        if self.ring.is_full(self.written) {
            cold_path();
            self.ring.publish(self.written);
            return Err(SendError::Full);
        }
        let checksum = self.arrives[usize::from(frame.checksum.is_some())];
        let filled = self.ring.fill(
            self.written,
            #[inline(always)]
            |buffer| {
                let space = buffer.get_mut(..frame.len).ok_or(SendError::TooLong)?;
                let written = FrameWriter::fill(space, fill).ok_or(SendError::TooLong)?;
                if let Some(tap) = &self.tap {
                    cold_path();
                    tap.recorder.record((tap.clock)(), written);
                }
                Ok(Stored { len: written.len(), checksum, segment_size: frame.segment_size })
            },
        );
        match filled {
            Ok(len) if self.ring.is_up() => {
                self.written = self.written.wrapping_add(1);
                self.bytes += len as u64;
                Ok(())
            }
            lost => {
                cold_path();
                self.dropped += 1;
                lost.map(|_| ())
            }
        }
    }

    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    fn send_run(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        if !self.is_usual(&frame) {
            cold_path();
            return self.send_unusual(frame, fills);
        }
        // Moved, so that the loop has it in registers.
        let mut fills = identity(fills);
        let ring = &*self.ring;
        let stored = Stored {
            len: 0,
            checksum: self.arrives[usize::from(frame.checksum.is_some())],
            segment_size: frame.segment_size,
        };
        let (mut sent, mut bytes) = (0, 0);
        let result = 'run: {
            for slots in ring.free(self.written) {
                for slot in slots {
                    let Some(fill) = fills.next() else { break 'run Ok(()) };
                    let filled = slot.fill(
                        #[inline(always)]
                        |buffer| {
                            let space = buffer.get_mut(..frame.len).ok_or(SendError::TooLong)?;
                            let written = FrameWriter::fill(space, fill).ok_or(SendError::TooLong)?;
                            let mut stored = stored;
                            stored.len = written.len();
                            Ok(stored)
                        },
                    );
                    match filled {
                        Ok(len) => (sent, bytes) = (sent + 1, bytes + len as u64),
                        Err(error) => {
                            cold_path();
                            self.dropped += 1;
                            break 'run Err(error);
                        }
                    }
                }
            }
            if fills.next().is_some() { Err(SendError::Full) } else { Ok(()) }
        };
        self.written = self.written.wrapping_add(sent as u64);
        self.bytes += bytes;
        if result == Err(SendError::Full) {
            self.ring.publish(self.written);
        }
        (sent, result)
    }

    #[inline]
    fn flush(&mut self) {
        self.ring.publish(self.written);
    }
}

impl Drop for CableEnd {
    fn drop(&mut self) {
        self.transmit.flush();
        self.transmit.ring.close();
        self.receive.ring.close();
    }
}

impl fmt::Debug for CableReceive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = &self.ring;
        f.debug_struct("CableReceive")
            .field("frames", &ring.taken())
            .field("bytes", &ring.bytes_taken())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CableTransmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CableTransmit").field("mac", &self.mac).field("frames", &self.written).finish_non_exhaustive()
    }
}
