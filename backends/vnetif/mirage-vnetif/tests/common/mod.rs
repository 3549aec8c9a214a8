//! What the tests of this crate share.

#![allow(dead_code, reason = "each test program uses its part")]

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use mirage_net::{MacAddress, Net, Outgoing, Receive, SendError, Transmit};

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Counter(AtomicUsize);

impl Counter {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A frame of `len` bytes, zeroes after the link header.
pub(crate) fn frame(to: MacAddress, from: MacAddress, len: usize) -> Vec<u8> {
    let mut bytes = [to.octets(), from.octets()].concat();
    bytes.extend([0x88, 0xb5]);
    bytes.resize(len, 0);
    bytes
}

pub(crate) fn send(device: &mut impl Net, bytes: &[u8]) -> Result<(), SendError> {
    device.split().1.send(Outgoing::new(bytes.len()), |frame| frame.put(bytes))
}

/// The next frame, if there is one now.
pub(crate) fn receive_now(device: &mut impl Net) -> Option<Vec<u8>> {
    let mut cx = Context::from_waker(Waker::noop());
    match device.split().0.poll_frame(&mut cx, |frame| frame.bytes.to_vec()) {
        Poll::Ready(Ok(bytes)) => Some(bytes),
        _ => None,
    }
}

/// Every frame that is there now.
pub(crate) fn receive_all(device: &mut impl Net) -> Vec<Vec<u8>> {
    core::iter::from_fn(|| receive_now(device)).collect()
}
