//! What both halves of a tap device know.

use std::cell::Cell;
use std::os::fd::OwnedFd;

use mirage_net::Stats;
use mirage_unix::Registered;

/// What both halves of a tap device know.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fd: Registered<OwnedFd>,
    /// Frames carry a virtio-net header.
    pub(crate) with_header: bool,
    /// The kernel's side is gone for good.
    pub(crate) gone: Cell<bool>,
    /// Frames wait because the kernel took no more.
    pub(crate) stuck: Cell<bool>,
    pub(crate) stats: Cell<Stats>,
}

impl Shared {
    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }
}
