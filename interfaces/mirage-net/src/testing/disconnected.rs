//! The exam for a device that is gone.

use core::task::{Context, Poll, Waker};

use crate::{Disconnected, Net, Outgoing, Receive, SendError, Transmit};

/// Examines a device that has just been unplugged: once it said [`Disconnected`] it says nothing else, and nothing
/// panics. Frames that arrived before may still come, up to 4096 of them.
///
/// # Panics
/// When the device fails; the message says where.
pub fn examine_disconnected(device: &mut impl Net) {
    let mut cx = Context::from_waker(Waker::noop());
    let (receive, transmit) = device.split();
    let mut left = 4096;
    while let Poll::Ready(Ok(())) = receive.poll_frame(&mut cx, |_| ()) {
        assert!(left > 0, "frames come without end from a device that is gone");
        left -= 1;
    }
    for _ in 0..3 {
        let frame = receive.poll_frame(&mut cx, |_| ());
        assert_eq!(frame, Poll::Ready(Err(Disconnected)), "a gone device must say so, each time");
        let frame = receive.poll_frame_to_keep(&mut cx, |_, _| ((), true));
        assert_eq!(frame, Poll::Ready(Err(Disconnected)), "a gone device has nothing to keep");
        assert_eq!(transmit.poll_ready(&mut cx), Poll::Ready(Err(Disconnected)), "poll_ready of a gone device");
        let mut called = false;
        let sent = transmit.send(Outgoing::new(60), |_| called = true);
        assert_eq!(sent, Err(SendError::Disconnected), "send of a gone device");
        assert!(!called, "a gone device has no buffer to fill");
        transmit.flush();
    }
}
