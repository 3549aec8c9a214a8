//! Where QEMU's `microvm` has its devices.

use super::Slot;
use crate::machine::cpu::mmio::Mmio;

/// Its slots, empty ones too: the last first, since that is the one which the first device gets. Without ACPI there are 8, wired to the inputs from 5 on; with it 24, wired to the second controller,
/// whose inputs begin at 24. On other machines there is nothing at these addresses.
pub(super) fn slots() -> impl Iterator<Item = Slot> {
    let found = (0..MOST).take_while(|slot| magic(*slot) == MAGIC).count() as u32;
    let first_input = if found > 8 { 24 } else { 5 };
    (0..found).rev().map(move |slot| Slot { address: address(slot), bytes: BYTES, interrupt: first_input + slot as u8 })
}

fn address(slot: u32) -> u32 {
    0xfeb0_0000 + slot * BYTES
}

fn magic(slot: u32) -> u32 {
    // SAFETY: without a PCI bus there is nothing but these slots here, and reading does not change them.
    unsafe { Mmio::new(address(slot) as usize) }.read()
}

const MOST: u32 = 24;
const BYTES: u32 = 512;
/// "virt".
const MAGIC: u32 = 0x7472_6976;
