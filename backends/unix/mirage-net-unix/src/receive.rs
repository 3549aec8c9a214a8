//! Frames from the kernel.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use mirage_net::{Disconnected, Exchange, Frame, FrameId, FrameSet, Receive};
use mirage_unix::Direction;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::shared::Shared;
use mirage_virtio_header as header;

/// Longest frame: 64 KiB of merged packet, the link header and a tag.
const LONGEST: usize = 65_535 + 14 + 4;

/// The half of a [`Tap`](crate::Tap) that lends received frames. It has one buffer: a frame is read into it and lent
/// from it, and exchanged for another one if the frame is kept.
#[derive(Debug)]
pub struct TapReceive {
    shared: Rc<Shared>,
    buffer: Box<[u8]>,
    kept: Exchange,
}

impl TapReceive {
    pub(crate) fn new(shared: Rc<Shared>, mtu: usize) -> Self {
        Self { shared, buffer: vec![0; header::LEN + LONGEST.max(mtu + 18)].into(), kept: Exchange::new() }
    }
}

impl Receive for TapReceive {
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
        let Self { shared, buffer, kept } = self;
        if shared.gone.get() {
            return Poll::Ready(Err(Disconnected));
        }
        // Frames that came since the last look are told of by the next: a poll for another reason costs no system call.
        if shared.fd.is_waiting(cx, Direction::Read) {
            wake_when_unstuck(shared, cx);
            return Poll::Pending;
        }
        let read = shared.fd.poll_io(cx, Direction::Read, |fd| Ok(rustix::io::read(fd, &mut **buffer)?));
        let len = match read {
            Poll::Ready(Ok(len)) => len,
            // The interface was deleted or the driver is gone: the kernel will not change its mind.
            Poll::Ready(Err(_)) => {
                shared.gone.set(true);
                return Poll::Ready(Err(Disconnected));
            }
            Poll::Pending => {
                wake_when_unstuck(shared, cx);
                return Poll::Pending;
            }
        };
        let bytes = buffer.get(..len).unwrap_or_default();
        let frame = match bytes.split_first_chunk() {
            Some((header, bytes)) if shared.with_header => {
                let (checksum, segment_size) = header::received(header);
                Frame { bytes, checksum, segment_size }
            }
            _ => Frame::new(bytes),
        };
        shared.count(|stats| {
            stats.rx_frames += 1;
            stats.rx_bytes += frame.bytes.len() as u64;
        });
        let offered = kept.offer();
        let start = len - frame.bytes.len();
        let (result, keep) = take(frame, offered);
        if let (true, Some(number)) = (keep, offered) {
            kept.keep(number, buffer, start..len);
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

/// Frames that the kernel did not take wait for a flush; whoever waits for frames is the one who can do it.
fn wake_when_unstuck(shared: &Shared, cx: &mut Context<'_>) {
    if !shared.stuck.get() {
        return;
    }
    let writable = shared.fd.poll_io(cx, Direction::Write, |fd| {
        let mut asked = [PollFd::new(fd, PollFlags::OUT)];
        match poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
            0 => Err(io::Error::from(Errno::AGAIN)),
            _ => Ok(()),
        }
    });
    if writable.is_ready() {
        cx.waker().wake_by_ref();
    }
}
