//! What went through a device.

/// Counters since the device was made. They wrap never in practice (64 bits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes received, link headers included.
    pub rx_bytes: u64,
    /// Frames that arrived and were dropped by the device (too long, no buffer).
    pub rx_dropped: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Bytes sent, link headers included.
    pub tx_bytes: u64,
    /// Frames that could not be sent.
    pub tx_dropped: u64,
}
