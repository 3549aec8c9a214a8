//! Interrupts that a device on the PCI bus writes (PCI 3.0 §6.8.2; virtio 1.2 §4.1.4.3).

use virtio_drivers::transport::pci::bus::{ConfigurationAccess, DeviceFunction, PciRoot};

use super::function::bar_address;
use super::pci::Ports;
use crate::machine::cpu::apic;
use crate::machine::cpu::mmio::Mmio;
use crate::machine::memory;

/// That a device's first message is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstMessage(());

/// Makes the first message of a device interrupt by `vector`. `None` when it has no messages.
pub(super) fn enable(root: &mut PciRoot<Ports>, function: DeviceFunction, vector: u8) -> Option<FirstMessage> {
    let capability = root.capabilities(function).find(|found| found.id == MSIX)?;
    let place = Ports.read_word(function, capability.offset.checked_add(4)?);
    let table = bar_address(function, (place & 0b111) as u8)?.checked_add((place & !0b111).into())?;
    memory::map_device(table, 16)?;
    let table = usize::try_from(table).ok()?;
    // SAFETY: this is the table of the device by its own word, mapped; a message to the interrupt controller does not touch memory.
    let entry = [0, 4, 8, 12].map(|offset| unsafe { Mmio::<u32>::new(table + offset) });
    // To whom, upper half of the address, what, and that it may be sent.
    for (register, value) in entry.into_iter().zip([MESSAGES | u32::from(apic::id()) << 12, 0, vector.into(), 0]) {
        register.write(value);
    }
    let control = Ports.read_word(function, capability.offset);
    Ports.write_word(function, capability.offset, control & !MASKED | ENABLED);
    Some(FirstMessage(()))
}

/// Which message a device sends, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vectors {
    messages: Option<FirstMessage>,
    configuration: Mmio<u16>,
    select: Mmio<u16>,
    queue: Mmio<u16>,
}

impl Vectors {
    /// Those of the device whose common registers are at `common`.
    ///
    /// # Safety
    /// They must be there, mapped, for ever.
    pub(super) unsafe fn new(common: usize, messages: Option<FirstMessage>) -> Self {
        // SAFETY: as the caller promises.
        let register = |offset| unsafe { Mmio::new(common + offset) };
        Self { messages, configuration: register(0x10), select: register(0x16), queue: register(0x1a) }
    }

    /// Makes the device send its first message for `queue` and for changes. A reset makes it forget this, so it is said for each
    /// queue that is set up.
    pub(super) fn assign(&self, queue: u16) {
        if self.messages.is_some() {
            self.configuration.write(0);
            self.select.write(queue);
            self.queue.write(0);
        }
    }
}

const MSIX: u8 = 0x11;
const ENABLED: u32 = 1 << 31;
const MASKED: u32 = 1 << 30;
/// Where the interrupt controllers of processors take messages (Intel SDM volume 3 §11.11).
const MESSAGES: u32 = 0xfee0_0000;
