//! The end.

use core::arch::asm;

use super::cpu::port::Port;

/// Ends the virtual machine.
///
/// QEMU's `isa-debug-exit` at port 0x501 turns what is written into its own exit status `2 × value + 1`. So `code` 0 makes
/// QEMU exit with 1, and 1 with 3; codes from 127 on all make it 255. Where there is no such device the machine is turned off
/// without a status: by ACPI as QEMU's and Cloud Hypervisor's machines know it, by the keyboard controller (which is also how
/// Firecracker ends), or by a triple fault. QEMU then exits with 0, which says nothing of success; `-no-reboot` makes it so
/// for resets.
pub fn exit(code: u8) -> ! {
    DEBUG_EXIT.write8(code.min(127));
    turn_off();
    // SAFETY: a table of interrupts without entries makes the next exception a triple fault, which resets the machine.
    // If not even that happens, the processor sleeps for good.
    unsafe { asm!("cli", "push 0", "push 0", "lidt [rsp]", "int3", "2: hlt", "jmp 2b", options(noreturn)) }
}

/// Tries every way to turn a machine off. What is written where no such device is, is lost.
fn turn_off() {
    // Sleep type 5 of a PIIX4 and an ICH9 as QEMU numbers it, with the bit that makes it so.
    PM1_CONTROL.write16(0x2000);
    PM1_CONTROL_OLD.write16(0x2000);
    CLOUD_HYPERVISOR_SLEEP.write8(0x34);
    KEYBOARD_COMMAND.write8(0xfe);
}

// SAFETY: these ports end the machine or do nothing.
const DEBUG_EXIT: Port = unsafe { Port::new(0x501) };
// SAFETY: as above.
const PM1_CONTROL: Port = unsafe { Port::new(0x604) };
// SAFETY: as above.
const PM1_CONTROL_OLD: Port = unsafe { Port::new(0xb004) };
// SAFETY: as above.
const CLOUD_HYPERVISOR_SLEEP: Port = unsafe { Port::new(0x600) };
// SAFETY: as above.
const KEYBOARD_COMMAND: Port = unsafe { Port::new(0x64) };
