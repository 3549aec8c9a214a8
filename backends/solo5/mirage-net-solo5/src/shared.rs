//! What both halves of a device know.

use core::cell::Cell;

use mirage_net::Stats;
use mirage_solo5::{Handle, Machine};

/// What both halves of a device know.
#[derive(Debug)]
pub(crate) struct Shared<A> {
    pub(crate) machine: Machine<A>,
    pub(crate) handle: Handle,
    /// The host's side is gone for good.
    pub(crate) gone: Cell<bool>,
    /// Frames wait because the host took no more.
    pub(crate) stuck: Cell<bool>,
    stats: Cell<Stats>,
}

impl<A> Shared<A> {
    pub(crate) fn new(machine: Machine<A>, handle: Handle) -> Self {
        Self { machine, handle, gone: Cell::new(false), stuck: Cell::new(false), stats: Cell::default() }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats.get()
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }
}
