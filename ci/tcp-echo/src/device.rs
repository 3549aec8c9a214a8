//! A network device that is a buffer.

use core::hint::black_box;
use core::task::{Context, Poll};

use mirage_net::{Capabilities, Disconnected, FrameWriter, Link, MacAddress, Outgoing, SendError, Transmit};

/// The longest frame.
pub(crate) const FRAME: usize = 1514;

/// What frames are sent on.
pub(crate) struct Wire(pub(crate) [u8; FRAME]);

impl Transmit for Wire {
    fn mac(&self) -> MacAddress {
        MacAddress([2, 0, 0, 0, 0, 1])
    }

    fn mtu(&self) -> usize {
        1500
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn link(&self) -> Link {
        Link::Up
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: Outgoing, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<(), SendError> {
        let space = self.0.get_mut(..frame.len).ok_or(SendError::TooLong)?;
        black_box(FrameWriter::fill(space, fill).ok_or(SendError::TooLong)?);
        Ok(())
    }

    fn flush(&mut self) {}
}
