//! What both halves know.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use mirage_net::{Link, Stats};
use mirage_virtio::Bell;
use mirage_virtqueue::reset;
use virtio_drivers::transport::{DeviceStatus, Transport};

use crate::features::{CONFIG_STATUS, LINK_UP};
use crate::wakers::{Side, Wakers};

/// What both halves know.
pub(crate) struct Shared<T, B> {
    /// Borrowed only in this file, for one call of the transport each.
    transport: RefCell<T>,
    bell: B,
    wakers: Wakers,
    /// The device says whether the cable is in.
    has_status: bool,
    /// The device is of no use any more and was reset.
    gone: Cell<bool>,
    stats: Cell<Stats>,
}

impl<T: Transport, B: Bell> Shared<T, B> {
    pub(crate) fn new(transport: T, bell: B, has_status: bool) -> Self {
        Self {
            transport: RefCell::new(transport),
            bell,
            wakers: Wakers::default(),
            has_status,
            gone: Cell::new(false),
            stats: Cell::default(),
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// Asks the device, which costs an exit from the virtual machine.
    pub(crate) fn link(&self) -> Link {
        let mut status = LINK_UP;
        if self.has_status {
            self.with(|transport| status = transport.read_config_space(CONFIG_STATUS).unwrap_or(LINK_UP));
        }
        if status & LINK_UP != 0 { Link::Up } else { Link::Down }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats.get()
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }

    /// For one call of the transport.
    pub(crate) fn with(&self, call: impl FnOnce(&mut T)) {
        // Never borrowed here: no transport calls back.
        if let Ok(mut transport) = self.transport.try_borrow_mut() {
            call(&mut transport);
        }
    }

    /// Takes everything back from the device, for good.
    pub(crate) fn give_up(&self) {
        self.gone.set(true);
        self.with(reset);
    }

    /// Lets the bell wake `waker`, now that nothing is there. Its queue is armed and looked at once more afterwards.
    pub(crate) fn wait(&self, side: Side, waker: &Waker) {
        // It rang for nothing, or to say that something else changed.
        if self.wakers.rang() {
            let mut failed = false;
            self.with(|transport| failed = transport.get_status().contains(DeviceStatus::DEVICE_NEEDS_RESET));
            if failed {
                self.give_up();
            }
        }
        self.wakers.wait(side, waker, |waker| self.bell.set_waker(waker));
    }

    /// Something was there: that is what it rang for, if it did.
    pub(crate) fn served(&self) {
        self.wakers.rang();
    }

    /// This half waits no more.
    pub(crate) fn done(&self, side: Side) {
        self.wakers.done(side);
    }
}
