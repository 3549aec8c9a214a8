//! Layers that keep what they are given, for tests of the layers above, and the exam for IP layers.
//!
//! This module needs the `testing` feature, which needs an allocator.

mod ethernet;
mod exam;
mod ip;
mod neighbours;

pub use ethernet::{FakeEthernet, SentFrame};
pub use exam::examine_ip;
pub use ip::{FakeIp, SentPacket};
pub use neighbours::{FakeNeighbours, SentHop};

use alloc::vec;
use alloc::vec::Vec;

use mirage_net::{FrameWriter, SendError};

/// Runs `fill` over `len` bytes of rubbish and demands that it writes all of them, as every layer promises.
fn filled(len: usize, fill: impl FnOnce(&mut FrameWriter<'_>)) -> Result<Vec<u8>, SendError> {
    let mut buffer = vec![0xa5; len];
    let written = FrameWriter::fill(&mut buffer, fill).ok_or(SendError::TooLong)?;
    assert_eq!(written.len(), len, "a layer must write exactly as many bytes as it announced");
    Ok(buffer)
}
