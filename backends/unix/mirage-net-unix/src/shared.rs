//! What both halves of a tap device know.

use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;

use mirage_net::Stats;
use mirage_unix::Registered;
use mirage_virtio_header as header;
use rustix::io::Errno;

use crate::ring::Ring;

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
    /// Never borrowed over a call of foreign code.
    pub(crate) ring: RefCell<Ring>,
}

impl Shared {
    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }

    /// The kernel took a frame or refused it for good: either way it is gone.
    pub(crate) fn written(&self, result: Result<usize, Option<Errno>>) {
        match result {
            Ok(len) => self.count(|stats| {
                stats.tx_frames += 1;
                stats.tx_bytes += (len - if self.with_header { header::LEN } else { 0 }) as u64;
            }),
            // The interface was deleted.
            Err(Some(Errno::BADFD | Errno::NODEV | Errno::NXIO)) => self.gone.set(true),
            // The interface is down, the kernel is out of memory or does not like the frame: it is lost, as on a cable.
            Err(_) => self.count(|stats| stats.tx_dropped += 1),
        }
    }
}
