//! The device's side.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Ref, RefCell};
use core::fmt;

use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus};

use super::Chain;
use super::ring::Ring;
use crate::EVENT_INDEX;

/// A device that tests own. Clones are the same device: one is given to the driver as its transport, with the others the
/// test takes chains, gives them back, and turns every knob.
///
/// Its interrupt is an edge: as long as the last one was not acknowledged, there is no next.
#[derive(Clone)]
pub struct Model {
    pub(super) state: Rc<RefCell<State>>,
}

pub(super) struct State {
    pub(super) kind: DeviceType,
    pub(super) legacy: bool,
    pub(super) refuses: bool,
    pub(super) offered: u64,
    pub(super) accepted: u64,
    pub(super) status: DeviceStatus,
    pub(super) config: Vec<u8>,
    pub(super) queues: Vec<Ring>,
    pub(super) pending: InterruptStatus,
    pub(super) resets: usize,
    interrupts: usize,
    interrupt: Option<Box<dyn FnMut()>>,
}

impl Model {
    /// A device of version 1 that offers `features`, with a queue of at most `queues[n]` descriptors each and `config`
    /// as its configuration space.
    pub fn new(kind: DeviceType, features: u64, queues: &[u32], config: &[u8]) -> Self {
        let state = State {
            kind,
            legacy: false,
            refuses: false,
            offered: features,
            accepted: 0,
            status: DeviceStatus::empty(),
            config: config.to_vec(),
            queues: queues.iter().map(|most| Ring::new(*most)).collect(),
            pending: InterruptStatus::empty(),
            resets: 0,
            interrupts: 0,
            interrupt: None,
        };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// Makes it a device from before version 1.
    #[must_use]
    pub fn legacy(self) -> Self {
        self.state.borrow_mut().legacy = true;
        self
    }

    /// Lets it refuse whatever features the driver accepts.
    #[must_use]
    pub fn refusing(self) -> Self {
        self.state.borrow_mut().refuses = true;
        self
    }

    /// Calls `interrupt` for each interrupt.
    pub fn on_interrupt(&self, interrupt: impl FnMut() + 'static) {
        self.state.borrow_mut().interrupt = Some(Box::new(interrupt));
    }

    /// What the driver accepted.
    pub fn accepted(&self) -> u64 {
        self.state.borrow().accepted
    }

    /// Whether the driver let the device begin and did not reset it.
    pub fn is_running(&self) -> bool {
        self.state.borrow().status.contains(DeviceStatus::DRIVER_OK)
    }

    /// How often the driver reset it.
    pub fn resets(&self) -> usize {
        self.state.borrow().resets
    }

    /// How often the driver was interrupted.
    pub fn interrupts(&self) -> usize {
        self.state.borrow().interrupts
    }

    /// How often the driver notified `queue`.
    pub fn notifications(&self, queue: usize) -> usize {
        self.state.borrow().queues[queue].notifications
    }

    /// How many descriptors the driver gave `queue`.
    pub fn size(&self, queue: usize) -> u16 {
        self.state.borrow().queues[queue].size
    }

    /// Takes the next chain from `queue`.
    pub fn take(&self, queue: usize) -> Option<Chain> {
        let (id, pieces) = self.queue(queue)?.next()?;
        Some(Chain { model: self.clone(), resets: self.resets(), id: id.into(), pieces })
    }

    /// Gives a chain back, with the word that `len` bytes were written. The driver sees it with
    /// [`publish`](Self::publish).
    pub fn put(&self, queue: usize, id: u32, len: u32) {
        if let Some(mut queue) = self.queue(queue) {
            queue.put(id, len);
        }
    }

    /// Shows the driver everything that was put, and interrupts it if it wants that.
    pub fn publish(&self, queue: usize) {
        let event_index = self.accepted() & EVENT_INDEX != 0;
        let wanted = self.queue(queue).is_some_and(|mut queue| queue.publish(event_index));
        if wanted {
            self.interrupt(InterruptStatus::QUEUE_INTERRUPT);
        }
    }

    /// Moves the index of the used ring by `entries` without having written them: a lie.
    pub fn pretend(&self, queue: usize, entries: u16) {
        if let Some(mut queue) = self.queue(queue) {
            queue.done = queue.done.wrapping_add(entries);
        }
        self.publish(queue);
    }

    /// Whether the next chain in `queue` shall be notified. In the beginning it shall.
    pub fn want_notification(&self, queue: usize, wanted: bool) {
        let event_index = self.accepted() & EVENT_INDEX != 0;
        if let Some(queue) = self.queue(queue) {
            queue.want(wanted, event_index);
        }
    }

    /// Changes the configuration space and interrupts the driver.
    pub fn configure(&self, change: impl FnOnce(&mut [u8])) {
        change(&mut self.state.borrow_mut().config);
        self.interrupt(InterruptStatus::DEVICE_CONFIGURATION_INTERRUPT);
    }

    /// Says that the device is in a state from which only a reset leads.
    pub fn fail(&self) {
        self.state.borrow_mut().status |= DeviceStatus::DEVICE_NEEDS_RESET;
        self.interrupt(InterruptStatus::DEVICE_CONFIGURATION_INTERRUPT);
    }

    fn interrupt(&self, status: InterruptStatus) {
        let call = {
            let mut state = self.state.borrow_mut();
            let edge = state.pending.is_empty();
            state.pending |= status;
            if edge {
                state.interrupts += 1;
                state.interrupt.take()
            } else {
                None
            }
        };
        // Outside of the borrow: it may wake a driver that asks the device at once.
        if let Some(mut call) = call {
            call();
            self.state.borrow_mut().interrupt.get_or_insert(call);
        }
    }

    /// The queue, where the driver has set it up and let the device begin.
    fn queue(&self, queue: usize) -> Option<core::cell::RefMut<'_, Ring>> {
        let running = Ref::map(self.state.borrow(), |state| &state.status).contains(DeviceStatus::DRIVER_OK);
        let queue = core::cell::RefMut::map(self.state.borrow_mut(), |state| &mut state.queues[queue]);
        (running && queue.size != 0).then_some(queue)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Model")
    }
}
