//! Frames from the host.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec;
use core::task::{Context, Poll};

use mirage_net::{Disconnected, Frame, Receive};
use mirage_solo5::{Abi, Error, Wakes};

use crate::shared::Shared;

/// The half of a [`Nic`](crate::Nic) that lends received frames. It has one buffer: a frame is read into it and lent from
/// it.
#[derive(Debug)]
pub struct NicReceive<A> {
    shared: Rc<Shared<A>>,
    buffer: Box<[u8]>,
}

impl<A> NicReceive<A> {
    pub(crate) fn new(shared: Rc<Shared<A>>, longest: usize) -> Self {
        Self { shared, buffer: vec![0; longest].into() }
    }
}

impl<A: Abi> Receive for NicReceive<A> {
    fn poll_frame<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Frame<'_>) -> R,
    ) -> Poll<Result<R, Disconnected>> {
        let Self { shared, buffer } = self;
        if shared.gone.get() {
            return Poll::Ready(Err(Disconnected));
        }
        let len = match A::net_read(shared.handle, buffer) {
            Ok(len) => len,
            Err(Error::Again) => {
                shared.machine.set_waker(shared.handle, Wakes::Frame, cx.waker());
                return Poll::Pending;
            }
            Err(Error::Invalid | Error::Unspecified) => {
                shared.gone.set(true);
                return Poll::Ready(Err(Disconnected));
            }
        };
        let frame = Frame::new(buffer.get(..len).unwrap_or_default());
        shared.count(|stats| {
            stats.rx_frames += 1;
            stats.rx_bytes += len as u64;
        });
        Poll::Ready(Ok(take(frame)))
    }
}
