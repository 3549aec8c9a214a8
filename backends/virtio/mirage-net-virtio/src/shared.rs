//! What both halves know.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use mirage_net::{Link, Stats};
use mirage_virtio::Bell;
use mirage_virtqueue::reset;
use virtio_drivers::transport::{DeviceStatus, InterruptStatus, Transport};

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
    link: Cell<Link>,
    /// The device is of no use any more and was reset.
    gone: Cell<bool>,
    stats: Cell<Stats>,
}

impl<T: Transport, B: Bell> Shared<T, B> {
    pub(crate) fn new(transport: T, bell: B, has_status: bool) -> Self {
        let shared = Self {
            transport: RefCell::new(transport),
            bell,
            wakers: Wakers::default(),
            has_status,
            link: Cell::new(Link::Up),
            gone: Cell::new(false),
            stats: Cell::default(),
        };
        shared.with(|transport| shared.look_at_link(transport));
        shared
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    pub(crate) fn link(&self) -> Link {
        self.link.get()
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

    /// Lets the bell wake `waker`. Its queue is armed before and looked at once more afterwards.
    pub(crate) fn wait(&self, side: Side, waker: &Waker) {
        let mut failed = false;
        // An interrupt that is not acknowledged is the last one. Reading the link state costs an exit from the virtual
        // machine, so it is done only when the device says that something changed.
        self.with(|transport| {
            if transport.ack_interrupt().contains(InterruptStatus::DEVICE_CONFIGURATION_INTERRUPT) {
                self.look_at_link(transport);
                failed = transport.get_status().contains(DeviceStatus::DEVICE_NEEDS_RESET);
            }
        });
        if failed {
            self.give_up();
        }
        self.wakers.wait(side, waker, |waker| self.bell.set_waker(waker));
    }

    /// This half waits no more.
    pub(crate) fn done(&self, side: Side) {
        self.wakers.done(side);
    }

    fn look_at_link(&self, transport: &mut T) {
        if self.has_status
            && let Ok(status) = transport.read_config_space::<u16>(CONFIG_STATUS)
        {
            self.link.set(if status & LINK_UP != 0 { Link::Up } else { Link::Down });
        }
    }
}
