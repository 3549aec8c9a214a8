//! The device and its two halves.

use core::hint::cold_path;
use core::task::{Context, Poll};

use crate::{
    Capabilities, Disconnected, Frame, FrameId, FrameSet, FrameWriter, MacAddress, Outgoing, SendError, Stats,
};

/// Whether the cable is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Frames can pass.
    Up,
    /// Frames that are sent are lost, none arrive.
    Down,
}

/// A network device, in two halves so that a frame that still lies in the receive ring can be answered on the
/// transmit ring.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network device",
    note = "devices: `mirage_net_unix::Tap`, `mirage_net_virtio::Nic`, `mirage_vnetif::Node`, `mirage_vnetif::cable`"
)]
pub trait Net {
    /// The half that lends received frames.
    type Receive: Receive;
    /// The half that sends.
    type Transmit: Transmit;

    /// Both halves at once.
    fn split(&mut self) -> (&mut Self::Receive, &mut Self::Transmit);

    /// What went through so far.
    fn stats(&self) -> Stats;
}

/// The half of a device that lends received frames.
#[diagnostic::on_unimplemented(message = "`{Self}` is not the receiving half of a network device")]
pub trait Receive {
    /// Lends the oldest frame to `take`; afterwards the buffer is the device's again.
    ///
    /// Pending when no frame is there: `cx`'s waker is then woken when one comes or when the link changes. Only the
    /// last waker is kept.
    ///
    /// # Errors
    /// [`Disconnected`] when no frame will ever come again; then every later call says the same.
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>>;

    /// The same for who may want the frame longer than for the call: `take` also learns under which number, if the device has
    /// a buffer to spare, and says beside its result whether it keeps the frame. The bytes then stay as they are, seen through
    /// [`kept`](Self::kept), until the frame is [released](Self::release).
    ///
    /// A device that keeps none offers no number: that is what a device does which does not say otherwise.
    ///
    /// # Errors
    /// As for [`poll_frame`](Self::poll_frame).
    #[inline]
    fn poll_frame_to_keep<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool),
    ) -> Poll<Result<R, Disconnected>> {
        self.poll_frame(cx, |frame| take(frame, None).0)
    }

    /// The same for who takes one frame after the other: lends one or more, the oldest first and at most `most`, which is at
    /// least 1, and says how many. `take` says of each whether it is kept.
    ///
    /// A device may lend fewer than it has, and one that does not say otherwise lends one.
    ///
    /// # Errors
    /// As for [`poll_frame`](Self::poll_frame).
    #[inline(always)]
    fn poll_frames_to_keep(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        mut take: impl FnMut(Frame<'_>, Option<FrameId>) -> bool,
    ) -> Poll<Result<usize, Disconnected>> {
        let _ = most;
        self.poll_frame_to_keep(cx, |frame, number| (1, take(frame, number)))
    }

    /// The bytes of a frame that is kept; none of one that is not.
    #[inline]
    fn kept(&self, frame: FrameId) -> &[u8] {
        let _ = frame;
        &[]
    }

    /// Gives frames back that were kept; others of `frames` make no difference.
    #[inline]
    fn release(&mut self, frames: FrameSet) {
        let _ = frames;
    }
}

/// The half of a device that sends.
#[diagnostic::on_unimplemented(message = "`{Self}` is not the transmitting half of a network device")]
pub trait Transmit {
    /// The device's hardware address.
    fn mac(&self) -> MacAddress;

    /// Largest payload after the link header in bytes; 1500 on Ethernet.
    fn mtu(&self) -> usize;

    /// What the device takes over from the stack.
    fn capabilities(&self) -> Capabilities;

    /// Whether the cable is in.
    fn link(&self) -> Link;

    /// Ready when [`send`](Self::send) would find a free buffer; `cx`'s waker is woken when one becomes free. Only
    /// the last waker is kept.
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>>;

    /// Lends a buffer of `frame.len` bytes to `fill` and queues what `fill` wrote. It may stay queued until
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// - [`SendError::Full`]: no buffer is free, `fill` was not called.
    /// - [`SendError::TooLong`]: `frame.len` is more than the device takes, or `fill` overflowed its writer.
    /// - [`SendError::Disconnected`]: the device is gone.
    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError>;

    /// Sends a frame for each of `fills` as [`send`](Self::send) does, each as `frame` describes it. Gives how many were sent
    /// before the first error, if there was one; what a device has to find out for them it may find out once.
    #[inline(always)]
    fn send_run(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        send_each(fills, |fill| self.send(frame, fill))
    }

    /// Sends everything that is queued, with one notification to the other side where there is such a thing.
    fn flush(&mut self);
}

impl<T: Net + ?Sized> Net for &mut T {
    type Receive = T::Receive;
    type Transmit = T::Transmit;
    fn split(&mut self) -> (&mut Self::Receive, &mut Self::Transmit) {
        T::split(self)
    }
    fn stats(&self) -> Stats {
        T::stats(self)
    }
}

/// Calls `send` with one of `fills` after the other until it fails. Gives how many were sent, and the error if there was one.
#[inline(always)]
pub fn send_each<F, E>(
    fills: impl Iterator<Item = F>,
    mut send: impl FnMut(F) -> Result<(), E>,
) -> (usize, Result<(), E>) {
    let mut sent = 0;
    for fill in fills {
        if let Err(error) = send(fill) {
            cold_path();
            return (sent, Err(error));
        }
        sent += 1;
    }
    (sent, Ok(()))
}

impl<T: Receive + ?Sized> Receive for &mut T {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        T::poll_frame(self, cx, take)
    }
    fn poll_frame_to_keep<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>, Option<FrameId>) -> (R, bool),
    ) -> Poll<Result<R, Disconnected>> {
        T::poll_frame_to_keep(self, cx, take)
    }
    fn poll_frames_to_keep(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        take: impl FnMut(Frame<'_>, Option<FrameId>) -> bool,
    ) -> Poll<Result<usize, Disconnected>> {
        T::poll_frames_to_keep(self, cx, most, take)
    }
    fn kept(&self, frame: FrameId) -> &[u8] {
        T::kept(self, frame)
    }
    fn release(&mut self, frames: FrameSet) {
        T::release(self, frames);
    }
}

impl<T: Transmit + ?Sized> Transmit for &mut T {
    fn mac(&self) -> MacAddress {
        T::mac(self)
    }
    fn mtu(&self) -> usize {
        T::mtu(self)
    }
    fn capabilities(&self) -> Capabilities {
        T::capabilities(self)
    }
    fn link(&self) -> Link {
        T::link(self)
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        T::poll_ready(self, cx)
    }
    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        T::send(self, frame, fill)
    }
    #[inline]
    fn send_run(
        &mut self,
        frame: Outgoing,
        fills: impl Iterator<Item = impl FnOnce(&mut FrameWriter<'_>)>,
    ) -> (usize, Result<(), SendError>) {
        T::send_run(self, frame, fills)
    }
    fn flush(&mut self) {
        T::flush(self);
    }
}
