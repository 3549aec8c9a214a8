//! What can be said about a device.

use mirage_net::MacAddress;

/// What can be said about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Let the device complete checksums, cut and merge large frames, as far as it can. Without, every frame is complete
    /// and no longer than the MTU.
    pub offloads: bool,
    /// Our address in the place of the device's; needed where it has none.
    pub mac: Option<MacAddress>,
    /// Bytes for buffers that wait for frames, of some 1,536 each. Merged frames are accepted from 128 KiB on.
    pub receive_bytes: usize,
    /// Bytes for frames that wait to leave. The largest frame that the device cuts is half of it, at most 65,535 bytes.
    pub transmit_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { offloads: true, mac: None, receive_bytes: 256 * 1024, transmit_bytes: 256 * 1024 }
    }
}
