//! The interrupt controller of devices that are wired to it.

use super::apic;
use super::mmio::Mmio;

/// Lets the rising edge of `input` interrupt this processor by `vector`. The second controller, which QEMU's `microvm` has with
/// ACPI, has the inputs from 24 on.
pub(crate) fn route(input: u8, vector: u8) {
    let (controller, pin) = if input < PINS { (FIRST, input) } else { (SECOND, input - PINS) };
    if pin >= PINS {
        return;
    }
    let entry = REDIRECTION + 2 * u32::from(pin);
    // Upper half: to whom. Lower half: the vector, fixed, high, by edge, not masked.
    controller.write(entry + 1, u32::from(apic::id()) << 24);
    controller.write(entry, vector.into());
}

/// A controller.
#[derive(Clone, Copy, Debug)]
struct IoApic {
    select: Mmio<u32>,
    window: Mmio<u32>,
}

impl IoApic {
    /// The controller at `address`.
    ///
    /// # Safety
    /// Nothing else may be there.
    const unsafe fn at(address: usize) -> Self {
        // SAFETY: as the caller promises; these registers do not touch memory.
        unsafe { Self { select: Mmio::new(address), window: Mmio::new(address + 0x10) } }
    }

    fn write(self, register: u32, value: u32) {
        self.select.write(register);
        self.window.write(value);
    }
}

// SAFETY: these addresses are kept for such controllers; without one, what is written is lost.
const FIRST: IoApic = unsafe { IoApic::at(0xfec0_0000) };
// SAFETY: as above.
const SECOND: IoApic = unsafe { IoApic::at(0xfec1_0000) };

const PINS: u8 = 24;
const REDIRECTION: u32 = 0x10;
