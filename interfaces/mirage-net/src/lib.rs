#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod capabilities;
mod device;
mod error;
#[cfg(feature = "alloc")]
mod exchange;
mod frame;
mod kept;
mod mac;
mod stats;
#[cfg(feature = "testing")]
pub mod testing;
mod writer;

pub use capabilities::{Capabilities, ChecksumOffload, SegmentationOffload};
pub use device::{Link, Net, Receive, Transmit, send_each};
pub use error::{Disconnected, SendError};
#[cfg(feature = "alloc")]
pub use exchange::Exchange;
pub use frame::{Frame, Outgoing, PartialChecksum, ReceivedChecksum};
pub use kept::{FrameId, FrameIds, FrameSet};
pub use mac::{MacAddress, ParseMacError};
pub use stats::Stats;
pub use writer::FrameWriter;
