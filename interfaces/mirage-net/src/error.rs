//! Why a device did not do what it was asked.

use core::fmt;

/// Why a frame did not go out. The caller must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// No buffer is free now: try again after [`Transmit::poll_ready`](crate::Transmit::poll_ready).
    Full,
    /// Longer than the device or path takes: cut it or give up.
    TooLong,
    /// IP only: the packet is longer than the path's MTU and may not be fragmented. Send at most this many bytes of
    /// IP packet.
    WouldFragment {
        /// The path's MTU in bytes, IP header included.
        mtu: usize,
    },
    /// IP only: there is no route to the destination.
    NoRoute,
    /// The next hop does not answer and the packets that wait for it fill their queue.
    Unresolved,
    /// The device is gone for good.
    Disconnected,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the device has no free buffer",
            Self::TooLong => "the frame is too long",
            Self::WouldFragment { .. } => "the packet is longer than the path's MTU and may not be fragmented",
            Self::NoRoute => "no route to the destination",
            Self::Unresolved => "the next hop does not answer",
            Self::Disconnected => "the device is gone",
        })
    }
}

impl core::error::Error for SendError {}

/// The device is gone for good: unplugged, or its file closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnected;

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the device is gone")
    }
}

impl core::error::Error for Disconnected {}

impl From<Disconnected> for SendError {
    fn from(_: Disconnected) -> Self {
        Self::Disconnected
    }
}
