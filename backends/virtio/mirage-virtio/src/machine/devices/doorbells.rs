//! How a device on the PCI bus is told that there is something in a queue.

use crate::machine::cpu::mmio::Mmio;

/// The registers for it, found once for each queue: to look for them each time would cost two more visits to the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doorbells {
    select: Mmio<u16>,
    offset: Mmio<u16>,
    base: usize,
    multiplier: usize,
    found: [Option<Mmio<u16>>; QUEUES],
}

impl Doorbells {
    /// Those of the device whose common registers are at `common`, and whose doorbells from `base` on are `multiplier` bytes apart.
    ///
    /// # Safety
    /// All must be there, mapped, for ever.
    pub(super) unsafe fn new(common: usize, base: usize, multiplier: u32) -> Self {
        // SAFETY: as the caller promises.
        let register = |offset| unsafe { Mmio::new(common + offset) };
        Self {
            select: register(0x16),
            offset: register(0x1e),
            base,
            multiplier: multiplier as usize,
            found: [None; QUEUES],
        }
    }

    /// Looks for the doorbell of `queue`.
    pub(super) fn find(&mut self, queue: u16) {
        self.select.write(queue);
        let offset = usize::from(self.offset.read()) * self.multiplier;
        if let Some(found) = self.found.get_mut(usize::from(queue)) {
            // SAFETY: the device says that it is there (virtio 1.2 §4.1.4.4).
            *found = Some(unsafe { Mmio::new(self.base + offset) });
        }
    }

    /// Rings for `queue`. `false` when its doorbell was not looked for, or it is one of too many.
    pub(super) fn ring(&self, queue: u16) -> bool {
        let Some(Some(doorbell)) = self.found.get(usize::from(queue)) else { return false };
        doorbell.write(queue);
        true
    }
}

/// Queues whose doorbells are kept.
const QUEUES: usize = 8;
