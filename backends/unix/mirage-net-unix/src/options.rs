//! What can be said about a tap device.

use mirage_net::MacAddress;

/// What can be said about a tap device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Let the kernel complete checksums and cut large frames, as far as it can, and take such frames from it. Without,
    /// every frame is complete and no longer than the MTU.
    pub offloads: bool,
    /// Our hardware address; `None` for a random local one, another each time.
    pub mac: Option<MacAddress>,
    /// Bytes for frames that wait to be written; at least one of the largest fits in any case.
    pub queue_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { offloads: true, mac: None, queue_bytes: 512 * 1024 }
    }
}
